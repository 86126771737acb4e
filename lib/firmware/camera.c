// Parallel camera interface: a frame of the board's camera, word by word, at the pixel clock of the sensor.
//
// Facts: the vendor's register headers of both parts.
#include "firmware/board.h"
#include "firmware/queue.h"

#define CONTROL 0x08
#define ENABLES 0x0C
#define FLAGS 0x10
#define FIFO 0x30

#define READ_MODE 3u
#define CONTINUOUS 2u
#define RX_DMA (1u << 16)
#define THREE_CHANNELS (1u << 30)
#define SYSTEM_ENABLE (1u << 31)
#define IMAGE_DONE (1u << 0)
#define FIFO_FULL (1u << 1)
#define THRESHOLD (1u << 2)
#define NOT_EMPTY (1u << 3)
#define DEPTH 8u
#define PATIENCE 4u // times as long as a frame takes, the sensor waits for a FIFO that nobody empties

static const struct peripheral_register registers[] = {
	{0x00, true, "VER", 0, UINT32_MAX},
	{0x04, true, "FIFO_SIZE", DEPTH, UINT32_MAX},
	{0x08, true, "CTRL"},
	{0x0c, true, "INT_EN"},
	{0x10, true, "INT_FL", 0, 0, UINT32_MAX},
	{0x14, true, "DS_TIMING_CODES"},
	{0x30, true, "FIFO_DATA"},
};

struct camera {
	struct queue fifo;
	uint64_t due;  // of the next word, TIME_NEVER: no frame is on its way
	uint64_t lost; // when the rest of the frame is given up, TIME_NEVER: the FIFO has room
};

static void update_line(struct ai8x_firmware *soc, const struct peripheral *row)
{
	const struct camera *camera = soc_state(soc, row);
	const uint32_t threshold = soc_value(soc, row, CONTROL) >> 5 & 31;
	uint32_t *flags = soc_word(soc, row->base + FLAGS);
	if (camera->fifo.count > 0)
		*flags |= NOT_EMPTY;
	if (camera->fifo.count > 0 && camera->fifo.count >= threshold)
		*flags |= THRESHOLD;
	if (camera->fifo.count == DEPTH)
		*flags |= FIFO_FULL;
	nvic_line(soc, row->irq, (*flags & soc_value(soc, row, ENABLES)) != 0);
}

static void end_frame(struct ai8x_firmware *soc, const struct peripheral *row)
{
	struct camera *camera = soc_state(soc, row);
	camera->due = TIME_NEVER;
	*soc_word(soc, row->base + FLAGS) |= IMAGE_DONE;
	if ((soc_value(soc, row, CONTROL) & READ_MODE) == CONTINUOUS &&
	    board_camera_start(soc, (soc_value(soc, row, CONTROL) & THREE_CHANNELS) != 0) != TIME_NEVER)
		camera->due = soc->now + board_camera_frame(soc);
	else
		*soc_word(soc, row->base + CONTROL) &= ~READ_MODE;
}

// A frame that nobody reads to its end is over some time later than on a chip, whose sensor does not wait.
static void give_up(struct ai8x_firmware *soc, const struct peripheral *row)
{
	struct camera *camera = soc_state(soc, row);
	if (camera->due == TIME_NEVER || camera->fifo.count < DEPTH)
		camera->lost = TIME_NEVER;
	else if (camera->lost == TIME_NEVER)
		camera->lost = soc->now + PATIENCE * board_camera_frame(soc);
	else if (soc->now >= camera->lost) {
		camera->lost = TIME_NEVER;
		end_frame(soc, row);
		update_line(soc, row);
	}
}

// The sensor waits for a full FIFO: frames are not lost because code here runs at other times than on a chip.
static void carry_out(struct ai8x_firmware *soc, const struct peripheral *row)
{
	struct camera *camera = soc_state(soc, row);
	while (soc->now >= camera->due && camera->fifo.count < DEPTH) {
		bool last = false;
		queue_push(&camera->fifo, DEPTH, board_camera_word(soc, &last));
		camera->due += board_camera_period(soc);
		if (camera->due < soc->now && camera->fifo.count == DEPTH)
			camera->due = soc->now;
		if (last)
			end_frame(soc, row);
		update_line(soc, row);
	}
	give_up(soc, row);
}

static uint64_t next(const struct ai8x_firmware *soc, const struct peripheral *row, bool interrupting)
{
	const struct camera *camera = soc_state(soc, row);
	const bool asked = (soc_value(soc, row, ENABLES) != 0 && nvic_enabled(soc, row->irq)) ||
	                   (soc_value(soc, row, CONTROL) & RX_DMA) != 0;
	if (interrupting && !asked)
		return TIME_NEVER;
	return camera->fifo.count == DEPTH ? camera->lost : camera->due;
}

static uint32_t load(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset)
{
	struct camera *camera = soc_state(soc, row);
	carry_out(soc, row);
	if (offset != FIFO)
		return peripheral_load(soc, row, offset);
	const uint32_t value = queue_pop(&camera->fifo);
	camera->lost = TIME_NEVER;
	carry_out(soc, row);
	soc_changed(soc);
	return value;
}

static void store(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset, uint32_t value)
{
	struct camera *camera = soc_state(soc, row);
	carry_out(soc, row);
	const uint32_t before = soc_value(soc, row, CONTROL) & READ_MODE;
	peripheral_store(soc, row, offset, value);
	if (offset == CONTROL && (value & READ_MODE) == 0) {
		camera->due = camera->lost = TIME_NEVER;
		camera->fifo.count = 0;
	} else if (offset == CONTROL && before == 0 && camera->due == TIME_NEVER) {
		const uint64_t wait = board_camera_start(soc, (value & THREE_CHANNELS) != 0);
		camera->due = wait == TIME_NEVER ? TIME_NEVER : soc->now + wait;
	}
	update_line(soc, row);
	soc_changed(soc);
}

static void reset(struct ai8x_firmware *soc, const struct peripheral *row)
{
	struct camera *camera = soc_state(soc, row);
	camera->due = camera->lost = TIME_NEVER;
}

static uint32_t ready(const struct ai8x_firmware *soc, const struct peripheral *row, bool transmits)
{
	(void)transmits;
	const struct camera *camera = soc_state(soc, row);
	return 4 * camera->fifo.count;
}

const struct peripheral_block camera_block = {
	REGISTERS(registers), .state_bytes = sizeof(struct camera),
	.fifo = FIFO,         .read = load,
	.write = store,       .reset = reset,
	.sync = carry_out,    .next = next,
	.ready = ready,
};
