// I2C devices of the board: who answers at an address, on a bus of the chip or on two wires that are moved by hand.
#include "firmware/board_parts.h"

static struct script *find_script(struct ai8x_firmware *soc, unsigned bus, uint8_t address)
{
	struct description *d = &soc->board->description;
	// The last one first: a description's devices stand after those of every board.
	for (size_t i = d->script_count; i-- > 0;)
		if (d->scripts[i].address == address && (d->scripts[i].bus == ANY_BUS || d->scripts[i].bus == bus))
			return &d->scripts[i].script;
	return NULL;
}

static bool is_sensor(const struct ai8x_firmware *soc, uint8_t address)
{
	return soc->board->sensor != NULL && sensor_address(soc->board->sensor) == address;
}

bool board_i2c_start(struct ai8x_firmware *soc, unsigned bus, uint8_t address, bool reads)
{
	struct script *script = find_script(soc, bus, address);
	if (script != NULL)
		script_start(script, reads);
	else if (is_sensor(soc, address))
		sensor_start(soc->board->sensor, reads);
	else
		return false;
	return true;
}

bool board_i2c_write(struct ai8x_firmware *soc, unsigned bus, uint8_t address, uint8_t byte)
{
	struct script *script = find_script(soc, bus, address);
	if (script != NULL)
		script_write(script, byte);
	else if (is_sensor(soc, address))
		sensor_write(soc->board->sensor, byte);
	else
		return false;
	return true;
}

uint8_t board_i2c_read(struct ai8x_firmware *soc, unsigned bus, uint8_t address)
{
	struct script *script = find_script(soc, bus, address);
	if (script != NULL)
		return script_read(script);
	return is_sensor(soc, address) ? sensor_read(soc->board->sensor) : 0xFF;
}
