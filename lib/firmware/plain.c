// Peripherals that are no more than registers: what drivers write and poll needs no behaviour beyond the table's.
// Facts: the vendor's register headers of both parts.
#include "firmware/soc.h"

static const struct peripheral_register sir[] = {
	{0x00, false, "SISTAT"},
	{0x04, false, "ADDR"},
	{0x100, false, "FSTAT"},
	{0x104, false, "SFSTAT"},
};

const struct peripheral_block sir_block = {REGISTERS(sir)};

static const struct peripheral_register fcr[] = {
	{0x00, true, "FCTRL0"},       {0x04, true, "AUTOCAL0", 0, 0, 0, 0x14},
	{0x08, true, "AUTOCAL1"},     {0x0c, true, "AUTOCAL2"},
	{0x10, true, "URVBOOTADDR"},  {0x14, true, "URVCTRL"},
	{0x18, false, "XO32MKS"},     {0x20, false, "TS0"},
	{0x24, false, "TS1"},         {0x28, false, "ADCREFTRIM0"},
	{0x2c, false, "ADCREFTRIM1"}, {0x30, false, "ADCREFTRIM2"},
};

const struct peripheral_block fcr_block = {REGISTERS(fcr)};

static const struct peripheral_register wdt[] = {
	{0x00, true, "CTRL", 0x10000000, 0x10000000},
	{0x04, true, "RST", 0, 0, 0, 0xFFFFFFFF},
	{0x08, true, "CLKSEL"},
	{0x0c, false, "CNT"},
};

const struct peripheral_block wdt_block = {REGISTERS(wdt)};

static const struct peripheral_register dvs[] = {
	{0x00, false, "CTL"},       {0x04, false, "STAT"},     {0x08, false, "DIRECT"},
	{0x0c, false, "MON"},       {0x10, false, "ADJ_UP"},   {0x14, false, "ADJ_DWN"},
	{0x18, false, "THRES_CMP"}, {0x1c, false, "TAP_SEL0"}, {0x30, false, "TAP_SEL4"},
};

const struct peripheral_block dvs_block = {REGISTERS(dvs)};

static const struct peripheral_register simo[] = {
	{0x04, true, "VREGO_A"},
	{0x08, true, "VREGO_B"},
	{0x0c, true, "VREGO_C"},
	{0x10, true, "VREGO_D"},
	{0x14, false, "IPKA"},
	{0x18, false, "IPKB"},
	{0x1c, false, "MAXTON"},
	{0x20, false, "ILOAD_A"},
	{0x24, false, "ILOAD_B"},
	{0x28, false, "ILOAD_C"},
	{0x2c, false, "ILOAD_D"},
	{0x30, false, "BUCK_ALERT_THR_A"},
	{0x34, false, "BUCK_ALERT_THR_B"},
	{0x38, false, "BUCK_ALERT_THR_C"},
	{0x3c, false, "BUCK_ALERT_THR_D"},
	{0x40, true, "BUCK_OUT_READY", 0xF, 0xF},
	{0x44, true, "ZERO_CROSS_CAL_A"},
	{0x48, true, "ZERO_CROSS_CAL_B"},
	{0x4c, true, "ZERO_CROSS_CAL_C"},
	{0x50, true, "ZERO_CROSS_CAL_D"},
};

const struct peripheral_block simo_block = {REGISTERS(simo)};

static const struct peripheral_register trimsir[] = {
	{0x08, false, "RTC"},  {0x34, false, "SIMO"}, {0x3c, false, "IPOLO"},
	{0x40, false, "CTRL"}, {0x44, false, "INRO"},
};

const struct peripheral_block trimsir_block = {REGISTERS(trimsir)};

static const struct peripheral_register mcr[] = {
	{0x00, true, "ECCEN"},    {0x04, false, "IPO_MTRIM"}, {0x08, true, "OUTEN"},    {0x0c, true, "CMP_CTRL"},
	{0x10, true, "CTRL"},     {0x20, true, "GPIO3_CTRL"}, {0x40, true, "CWD0"},     {0x44, true, "CWD1"},
	{0x50, false, "ADCCFG0"}, {0x54, false, "ADCCFG1"},   {0x58, false, "ADCCFG2"}, {0x60, true, "LDOCTRL"},
};

const struct peripheral_block mcr_block = {REGISTERS(mcr), .stays = true};

static const struct peripheral_register icc[] = {
	{0x00, true, "INFO", 0, 0xFFFFFFFF},
	{0x04, true, "SZ", 0x80008, 0xFFFFFFFF},
	{0x100, true, "CTRL", 0x10000, 0x10000},
	{0x700, true, "INVALIDATE", 0, 0, 0, 0xFFFFFFFF},
};

const struct peripheral_block icc_block = {REGISTERS(icc)};

static const struct peripheral_register lpcmp[] = {
	{0x00, true, "CTRL0", 0, 0x4000, 0x8000},
	{0x04, true, "CTRL1", 0, 0x4000, 0x8000},
	{0x08, true, "CTRL2", 0, 0x4000, 0x8000},
};

const struct peripheral_block lpcmp_block = {REGISTERS(lpcmp)};

static const struct peripheral_register aeskeys[] = {
	{0x00, true, "KEY0"}, {0x04, true, "KEY1"}, {0x08, true, "KEY2"}, {0x0c, true, "KEY3"},
	{0x10, true, "KEY4"}, {0x14, true, "KEY5"}, {0x18, true, "KEY6"}, {0x1c, true, "KEY7"},
};

const struct peripheral_block aeskeys_block = {REGISTERS(aeskeys)};

static const struct peripheral_register csi2[] = {
	{0x500, false, "VFIFO_CFG0"},
};

const struct peripheral_block csi2_block = {REGISTERS(csi2)};

static const struct peripheral_register sdhc[] = {
	{0x24, false, "PRESENT"},
	{0x2c, false, "CLK_CN"},
};

const struct peripheral_block sdhc_block = {REGISTERS(sdhc)};
