// The peripherals' names, registers and addresses; those without a block of their own are plain storage.
//
// A register that boot code and examples use and that needs no more than storage is marked; any other one
// is reported, and ends a strict run when it is read. Facts: firmware reference 2, the parts' user guides.
#include "firmware/soc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct peripheral_register gcr_registers[] = {
	{0x00, true, "SYSCTRL"},   {0x04, true, "RST0"},     {0x08, true, "CLKCTRL"},  {0x0c, true, "PM"},
	{0x10, true, "IPLL_CTRL"}, {0x18, true, "PCLKDIV"},  {0x24, true, "PCLKDIS0"}, {0x28, true, "MEMCTRL"},
	{0x2c, true, "MEMZ"},      {0x40, true, "SYSST"},    {0x44, true, "RST1"},     {0x48, true, "PCLKDIS1"},
	{0x4c, true, "EVENTEN"},   {0x50, true, "REVISION"}, {0x54, true, "SYSIE"},    {0x64, true, "ECCERR"},
	{0x68, true, "ECCCED"},    {0x6c, true, "ECCIE"},    {0x70, true, "ECCADDR"},  {0x80, true, "GPR0"},
};

static const struct peripheral_register fcr_registers[] = {
	{0x00, true, "FCTRL0"},       {0x04, true, "AUTOCAL0"},     {0x08, true, "AUTOCAL1"},
	{0x0c, true, "AUTOCAL2"},     {0x10, true, "URVBOOTADDR"},  {0x14, true, "URVCTRL"},
	{0x18, false, "XO32MKS"},     {0x20, false, "TS0"},         {0x24, false, "TS1"},
	{0x28, false, "ADCREFTRIM0"}, {0x2c, false, "ADCREFTRIM1"}, {0x30, false, "ADCREFTRIM2"},
};

static const struct peripheral_register sir_registers[] = {
	{0x00, false, "SISTAT"},
	{0x04, false, "ADDR"},
	{0x100, false, "FSTAT"},
	{0x104, false, "SFSTAT"},
};

static const struct peripheral_register wdt_registers[] = {
	{0x00, false, "CTRL"},
	{0x04, false, "RST"},
	{0x08, false, "CLKSEL"},
	{0x0c, false, "CNT"},
};

static const struct peripheral_register dvs_registers[] = {
	{0x00, false, "CTL"},       {0x04, false, "STAT"},     {0x08, false, "DIRECT"},
	{0x0c, false, "MON"},       {0x10, false, "ADJ_UP"},   {0x14, false, "ADJ_DWN"},
	{0x18, false, "THRES_CMP"}, {0x1c, false, "TAP_SEL0"}, {0x30, false, "TAP_SEL4"},
};

static const struct peripheral_register simo_registers[] = {
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
	{0x40, false, "BUCK_OUT_READY"},
	{0x44, false, "ZERO_CROSS_CAL_A"},
	{0x48, false, "ZERO_CROSS_CAL_B"},
	{0x4c, false, "ZERO_CROSS_CAL_C"},
	{0x50, false, "ZERO_CROSS_CAL_D"},
};

static const struct peripheral_register trimsir_registers[] = {
	{0x08, false, "RTC"},  {0x34, false, "SIMO"}, {0x3c, false, "IPOLO"},
	{0x40, false, "CTRL"}, {0x44, false, "INRO"},
};

static const struct peripheral_register gcfr_registers[] = {
	{0x00, true, "REG0"},
	{0x04, true, "REG1"},
	{0x08, true, "REG2"},
	{0x0c, true, "REG3"},
};

static const struct peripheral_register wut_registers[] = {
	{0x00, false, "CNT"},    {0x04, false, "CMP"},    {0x08, false, "PWM"},
	{0x0c, false, "INTFL"},  {0x10, false, "CTRL"},   {0x14, false, "NOLCMP"},
	{0x18, false, "PRESET"}, {0x1c, false, "RELOAD"}, {0x20, false, "SNAPSHOT"},
};

static const struct peripheral_register pwrseq_registers[] = {
	{0x00, true, "LPCN"},    {0x04, true, "LPWKST0"}, {0x08, true, "LPWKEN0"}, {0x0c, true, "LPWKST1"},
	{0x10, true, "LPWKEN1"}, {0x14, true, "LPWKST2"}, {0x18, true, "LPWKEN2"}, {0x1c, true, "LPWKST3"},
	{0x20, true, "LPWKEN3"}, {0x30, true, "LPPWST"},  {0x34, true, "LPPWEN"},  {0x48, false, "GP0"},
	{0x4c, false, "GP1"},
};

static const struct peripheral_register mcr_registers[] = {
	{0x00, false, "ECCEN"},   {0x04, false, "IPO_MTRIM"}, {0x08, true, "OUTEN"},    {0x0c, false, "CMP_CTRL"},
	{0x10, true, "CTRL"},     {0x20, true, "GPIO3_CTRL"}, {0x40, false, "CWD0"},    {0x44, false, "CWD1"},
	{0x50, false, "ADCCFG0"}, {0x54, false, "ADCCFG1"},   {0x58, false, "ADCCFG2"}, {0x60, false, "LDOCTRL"},
};

// EN3 does not exist in these parts; the driver that all parts share clears it.
static const struct peripheral_register gpio_registers[] = {
	{0x00, true, "EN0"},       {0x04, true, "EN0_SET"},   {0x08, true, "EN0_CLR"},
	{0x0c, true, "OUTEN"},     {0x10, true, "OUTEN_SET"}, {0x14, true, "OUTEN_CLR"},
	{0x18, true, "OUT"},       {0x1c, true, "OUT_SET"},   {0x20, true, "OUT_CLR"},
	{0x24, true, "IN"},        {0x28, true, "INTMODE"},   {0x2c, true, "INTPOL"},
	{0x30, true, "INEN"},      {0x34, true, "INTEN"},     {0x38, true, "INTEN_SET"},
	{0x3c, true, "INTEN_CLR"}, {0x40, true, "INTFL"},     {0x48, true, "INTFL_CLR"},
	{0x4c, true, "WKEN"},      {0x50, true, "WKEN_SET"},  {0x54, true, "WKEN_CLR"},
	{0x5c, true, "DUALEDGE"},  {0x60, true, "PADCTRL0"},  {0x64, true, "PADCTRL1"},
	{0x68, true, "EN1"},       {0x6c, true, "EN1_SET"},   {0x70, true, "EN1_CLR"},
	{0x74, true, "EN2"},       {0x78, true, "EN2_SET"},   {0x7c, true, "EN2_CLR"},
	{0x80, true, "EN3"},       {0x84, true, "EN3_SET"},   {0x88, true, "EN3_CLR"},
	{0xa8, true, "HYSEN"},     {0xac, true, "SRSEL"},     {0xb0, true, "DS0"},
	{0xb4, true, "DS1"},       {0xb8, true, "PS"},        {0xc0, true, "VSSEL"},
};

static const struct peripheral_register camera_registers[] = {
	{0x00, false, "VER"},       {0x04, false, "FIFO_SIZE"}, {0x08, false, "CTRL"},
	{0x0c, false, "INT_EN"},    {0x10, false, "INT_FL"},    {0x14, false, "DS_TIMING_CODES"},
	{0x30, false, "FIFO_DATA"},
};

static const struct peripheral_register timer_registers[] = {
	{0x00, true, "CNT"},   {0x04, true, "CMP"},    {0x08, true, "PWM"},   {0x0c, true, "INTFL"},
	{0x10, true, "CTRL0"}, {0x14, true, "NOLCMP"}, {0x18, true, "CTRL1"}, {0x1c, true, "WKFL"},
};

static const struct peripheral_register i2c_registers[] = {
	{0x00, false, "CTRL"},    {0x04, false, "STATUS"},  {0x08, false, "INTFL0"},  {0x0c, false, "INTEN0"},
	{0x10, false, "INTFL1"},  {0x14, false, "INTEN1"},  {0x18, false, "FIFOLEN"}, {0x1c, false, "RXCTRL0"},
	{0x20, false, "RXCTRL1"}, {0x24, false, "TXCTRL0"}, {0x28, false, "TXCTRL1"}, {0x2c, false, "FIFO"},
	{0x30, false, "MSTCTRL"}, {0x34, false, "CLKLO"},   {0x38, false, "CLKHI"},   {0x3c, false, "HSCLK"},
	{0x40, false, "TIMEOUT"}, {0x48, false, "DMA"},     {0x4c, false, "SLAVE0"},  {0x50, false, "SLAVE1"},
	{0x54, false, "SLAVE2"},  {0x58, false, "SLAVE3"},
};

static const struct peripheral_register dma_registers[] = {
	{0x00, false, "INTEN"},
	{0x04, false, "INTFL"},
};

static const struct peripheral_register flc_registers[] = {
	{0x00, false, "ADDR"},    {0x04, false, "CLKDIV"}, {0x08, false, "CTRL"},  {0x24, false, "INTR"},
	{0x2c, false, "ECCDATA"}, {0x30, false, "DATA0"},  {0x34, false, "DATA1"}, {0x38, false, "DATA2"},
	{0x3c, false, "DATA3"},   {0x40, false, "ACTRL"},  {0x80, false, "WELR0"}, {0x88, false, "WELR1"},
	{0x90, false, "RLR0"},    {0x98, false, "RLR1"},
};

static const struct peripheral_register icc_registers[] = {
	{0x00, true, "INFO"},
	{0x04, true, "SZ"},
	{0x100, true, "CTRL"},
	{0x700, true, "INVALIDATE"},
};

static const struct peripheral_register adc_registers[] = {
	{0x00, false, "CTRL0"},       {0x04, false, "CTRL1"},     {0x08, false, "CLKCTRL"},
	{0x0c, false, "SAMPCLKCTRL"}, {0x10, false, "CHSEL0"},    {0x14, false, "CHSEL1"},
	{0x18, false, "CHSEL2"},      {0x1c, false, "CHSEL3"},    {0x20, false, "CHSEL4"},
	{0x24, false, "CHSEL5"},      {0x28, false, "CHSEL6"},    {0x2c, false, "CHSEL7"},
	{0x30, false, "RESTART"},     {0x3c, false, "DATAFMT"},   {0x40, false, "FIFODMACTRL"},
	{0x44, false, "DATA"},        {0x48, false, "STATUS"},    {0x4c, false, "CHSTATUS"},
	{0x50, false, "INTEN"},       {0x54, false, "INTFL"},     {0x60, false, "SFRADDROFFSET"},
	{0x64, false, "SFRADDR"},     {0x68, false, "SFRWRDATA"}, {0x6c, false, "SFRRDDATA"},
	{0x70, false, "SFRSTATUS"},
};

static const struct peripheral_register ptg_registers[] = {
	{0x00, false, "ENABLE"}, {0x04, false, "RESYNC"},  {0x08, false, "INTFL"},
	{0x0c, false, "INTEN"},  {0x10, false, "SAFE_EN"}, {0x14, false, "SAFE_DIS"},
};

static const struct peripheral_register pt_registers[] = {
	{0x00, false, "RATE_LENGTH"},
	{0x04, false, "TRAIN"},
	{0x08, false, "LOOP"},
	{0x0c, false, "RESTART"},
};

static const struct peripheral_register owm_registers[] = {
	{0x00, false, "CFG"},  {0x04, false, "CLK_DIV_1US"}, {0x08, false, "CTRL_STAT"},
	{0x0c, false, "DATA"}, {0x10, false, "INTFL"},       {0x14, false, "INTEN"},
};

static const struct peripheral_register sema_registers[] = {
	{0x00, false, "SEMAPHORES0"}, {0x04, false, "SEMAPHORES1"}, {0x08, false, "SEMAPHORES2"},
	{0x0c, false, "SEMAPHORES3"}, {0x10, false, "SEMAPHORES4"}, {0x14, false, "SEMAPHORES5"},
	{0x18, false, "SEMAPHORES6"}, {0x1c, false, "SEMAPHORES7"}, {0x40, false, "IRQ0"},
	{0x44, false, "MAIL0"},       {0x48, false, "IRQ1"},        {0x4c, false, "MAIL1"},
	{0x100, false, "STATUS"},
};

static const struct peripheral_register uart_registers[] = {
	{0x00, true, "CTRL"},   {0x04, true, "STATUS"}, {0x08, true, "INT_EN"}, {0x0c, true, "INT_FL"},
	{0x10, true, "CLKDIV"}, {0x14, true, "OSR"},    {0x18, true, "TXPEEK"}, {0x1c, true, "PNR"},
	{0x20, true, "FIFO"},   {0x30, true, "DMA"},    {0x34, true, "WKEN"},   {0x38, true, "WKFL"},
};

static const struct peripheral_register spi_registers[] = {
	{0x00, false, "FIFO32"}, {0x04, false, "CTRL0"},   {0x08, false, "CTRL1"}, {0x0c, false, "CTRL2"},
	{0x10, false, "SSTIME"}, {0x14, false, "CLKCTRL"}, {0x1c, false, "DMA"},   {0x20, false, "INTFL"},
	{0x24, false, "INTEN"},  {0x28, false, "WKFL"},    {0x2c, false, "WKEN"},  {0x30, false, "STAT"},
};

static const struct peripheral_register trng_registers[] = {
	{0x00, false, "CTRL"},
	{0x04, false, "STATUS"},
	{0x08, false, "DATA"},
};

static const struct peripheral_register i2s_registers[] = {
	{0x00, false, "CTRL0CH0"}, {0x10, false, "CTRL1CH0"}, {0x20, false, "FILTCH0"}, {0x30, false, "DMACH0"},
	{0x40, false, "FIFOCH0"},  {0x50, false, "INTFL"},    {0x54, false, "INTEN"},   {0x58, false, "EXTSETUP"},
	{0x5c, false, "WKEN"},     {0x60, false, "WKFL"},
};

static const struct peripheral_register aes_registers[] = {
	{0x00, false, "CTRL"},  {0x04, false, "STATUS"}, {0x08, false, "INTFL"},
	{0x0c, false, "INTEN"}, {0x10, false, "FIFO"},
};

static const struct peripheral_register lpgcr_registers[] = {
	{0x08, true, "RST"},
	{0x0c, true, "PCLKDIS"},
};

static const struct peripheral_register rtc_registers[] = {
	{0x00, false, "SEC"},  {0x04, false, "SSEC"}, {0x08, false, "TODA"},    {0x0c, false, "SSECA"},
	{0x10, false, "CTRL"}, {0x14, false, "TRIM"}, {0x18, false, "OSCCTRL"},
};

static const struct peripheral_register lpcmp_registers[] = {
	{0x00, false, "CTRL0"},
	{0x04, false, "CTRL1"},
	{0x08, false, "CTRL2"},
};

static const struct peripheral_register crc_registers[] = {
	{0x00, false, "CTRL"},
	{0x04, false, "DATAIN32"},
	{0x08, false, "POLY"},
	{0x0c, false, "VAL"},
};

static const struct peripheral_register fast_fifo_registers[] = {
	{0x00, true, "CR"}, {0x04, true, "SR"}, {0x08, true, "IE"},
	{0x0c, true, "IS"}, {0x10, true, "DR"}, {0x14, true, "DMA"},
};

#define ROW(name, base, bytes, kind, unit, set)                                                              \
	{                                                                                                        \
		(name), (base), (bytes), (kind), (unit), set##_registers,                                            \
			sizeof set##_registers / sizeof set##_registers[0]                                               \
	}
#define PLAIN(name, base, bytes, set) ROW(name, base, bytes, PERIPHERAL_STORAGE, 0, set)

// By address.
static const struct peripheral max78000[] = {
	ROW("GCR", 0x40000000, 0x400, PERIPHERAL_GCR, 0, gcr),
	PLAIN("SIR", 0x40000400, 0x400, sir),
	PLAIN("FCR", 0x40000800, 0x400, fcr),
	PLAIN("WDT0", 0x40003000, 0x400, wdt),
	PLAIN("DVS", 0x40003C00, 0x400, dvs),
	PLAIN("SIMO", 0x40004400, 0x400, simo),
	PLAIN("TRIMSIR", 0x40005400, 0x400, trimsir),
	ROW("GCFR", 0x40005800, 0x400, PERIPHERAL_GCFR, 0, gcfr),
	PLAIN("RTC", 0x40006000, 0x400, rtc),
	PLAIN("WUT", 0x40006400, 0x400, wut),
	PLAIN("PWRSEQ", 0x40006800, 0x400, pwrseq),
	PLAIN("MCR", 0x40006C00, 0x400, mcr),
	PLAIN("AES", 0x40007400, 0x400, aes),
	ROW("GPIO0", 0x40008000, 0x1000, PERIPHERAL_GPIO, 0, gpio),
	ROW("GPIO1", 0x40009000, 0x1000, PERIPHERAL_GPIO, 1, gpio),
	PLAIN("PCIF", 0x4000E000, 0x1000, camera),
	PLAIN("CRC", 0x4000F000, 0x1000, crc),
	ROW("TMR0", 0x40010000, 0x1000, PERIPHERAL_TIMER, 0, timer),
	ROW("TMR1", 0x40011000, 0x1000, PERIPHERAL_TIMER, 1, timer),
	ROW("TMR2", 0x40012000, 0x1000, PERIPHERAL_TIMER, 2, timer),
	ROW("TMR3", 0x40013000, 0x1000, PERIPHERAL_TIMER, 3, timer),
	PLAIN("I2C0", 0x4001D000, 0x1000, i2c),
	PLAIN("I2C1", 0x4001E000, 0x1000, i2c),
	PLAIN("I2C2", 0x4001F000, 0x1000, i2c),
	PLAIN("DMA", 0x40028000, 0x1000, dma),
	PLAIN("FLC0", 0x40029000, 0x400, flc),
	ROW("ICC0", 0x4002A000, 0x800, PERIPHERAL_ICC, 0, icc),
	ROW("ICC1", 0x4002A800, 0x800, PERIPHERAL_ICC, 1, icc),
	PLAIN("ADC", 0x40034000, 0x1000, adc),
	PLAIN("PTG", 0x4003C000, 0x20, ptg),
	PLAIN("PT0", 0x4003C020, 0x20, pt),
	PLAIN("PT1", 0x4003C040, 0x20, pt),
	PLAIN("PT2", 0x4003C060, 0x20, pt),
	PLAIN("PT3", 0x4003C080, 0x20, pt),
	PLAIN("OWM", 0x4003D000, 0x1000, owm),
	PLAIN("SEMA", 0x4003E000, 0x1000, sema),
	ROW("UART0", 0x40042000, 0x1000, PERIPHERAL_UART, 0, uart),
	ROW("UART1", 0x40043000, 0x1000, PERIPHERAL_UART, 1, uart),
	ROW("UART2", 0x40044000, 0x1000, PERIPHERAL_UART, 2, uart),
	PLAIN("SPI1", 0x40046000, 0x1000, spi),
	PLAIN("TRNG", 0x4004D000, 0x1000, trng),
	PLAIN("I2S", 0x40060000, 0x1000, i2s),
	ROW("LPGCR", 0x40080000, 0x400, PERIPHERAL_LPGCR, 0, lpgcr),
	ROW("GPIO2", 0x40080400, 0x200, PERIPHERAL_GPIO, 2, gpio),
	PLAIN("GPIO3", 0x40080600, 0x200, gpio),
	PLAIN("WDT1", 0x40080800, 0x400, wdt),
	ROW("TMR4", 0x40080C00, 0x400, PERIPHERAL_TIMER, 4, timer),
	ROW("TMR5", 0x40081000, 0x400, PERIPHERAL_TIMER, 5, timer),
	ROW("UART3", 0x40081400, 0x400, PERIPHERAL_UART, 3, uart),
	PLAIN("LPCMP", 0x40088000, 0x400, lpcmp),
	PLAIN("SPI0", 0x400BE000, 0x400, spi),
	ROW("FASTFIFO", 0x400C0400, 0x400, PERIPHERAL_FAST_FIFO, 0, fast_fifo),
};

static const struct peripheral max78002[] = {
	ROW("GCR", 0x40000000, 0x400, PERIPHERAL_GCR, 0, gcr),
	PLAIN("SIR", 0x40000400, 0x400, sir),
	PLAIN("FCR", 0x40000800, 0x400, fcr),
	PLAIN("WDT0", 0x40003000, 0x400, wdt),
	PLAIN("SIMO", 0x40004400, 0x400, simo),
	PLAIN("DVS", 0x40004800, 0x400, dvs),
	ROW("GCFR", 0x40005800, 0x400, PERIPHERAL_GCFR, 0, gcfr),
	PLAIN("RTC", 0x40006000, 0x400, rtc),
	PLAIN("WUT", 0x40006400, 0x400, wut),
	PLAIN("PWRSEQ", 0x40006800, 0x400, pwrseq),
	PLAIN("MCR", 0x40006C00, 0x400, mcr),
	PLAIN("AES", 0x40007400, 0x400, aes),
	ROW("GPIO0", 0x40008000, 0x1000, PERIPHERAL_GPIO, 0, gpio),
	ROW("GPIO1", 0x40009000, 0x1000, PERIPHERAL_GPIO, 1, gpio),
	PLAIN("GPIO3", 0x4000B000, 0x1000, gpio),
	PLAIN("PCIF", 0x4000E000, 0x1000, camera),
	PLAIN("CRC", 0x4000F000, 0x1000, crc),
	ROW("TMR0", 0x40010000, 0x1000, PERIPHERAL_TIMER, 0, timer),
	ROW("TMR1", 0x40011000, 0x1000, PERIPHERAL_TIMER, 1, timer),
	ROW("TMR2", 0x40012000, 0x1000, PERIPHERAL_TIMER, 2, timer),
	ROW("TMR3", 0x40013000, 0x1000, PERIPHERAL_TIMER, 3, timer),
	PLAIN("I2C0", 0x4001D000, 0x1000, i2c),
	PLAIN("I2C1", 0x4001E000, 0x1000, i2c),
	PLAIN("I2C2", 0x4001F000, 0x1000, i2c),
	PLAIN("DMA", 0x40028000, 0x1000, dma),
	PLAIN("FLC0", 0x40029000, 0x400, flc),
	ROW("ICC0", 0x4002A000, 0x800, PERIPHERAL_ICC, 0, icc),
	ROW("ICC1", 0x4002A800, 0x800, PERIPHERAL_ICC, 1, icc),
	PLAIN("ADC", 0x40034000, 0x1000, adc),
	PLAIN("PTG", 0x4003C000, 0x20, ptg),
	PLAIN("PT0", 0x4003C020, 0x20, pt),
	PLAIN("PT1", 0x4003C040, 0x20, pt),
	PLAIN("PT2", 0x4003C060, 0x20, pt),
	PLAIN("PT3", 0x4003C080, 0x20, pt),
	PLAIN("OWM", 0x4003D000, 0x1000, owm),
	PLAIN("SEMA", 0x4003E000, 0x1000, sema),
	ROW("UART0", 0x40042000, 0x1000, PERIPHERAL_UART, 0, uart),
	ROW("UART1", 0x40043000, 0x1000, PERIPHERAL_UART, 1, uart),
	ROW("UART2", 0x40044000, 0x1000, PERIPHERAL_UART, 2, uart),
	PLAIN("SPI1", 0x40046000, 0x1000, spi),
	PLAIN("TRNG", 0x4004D000, 0x1000, trng),
	PLAIN("I2S", 0x40060000, 0x1000, i2s),
	ROW("LPGCR", 0x40080000, 0x400, PERIPHERAL_LPGCR, 0, lpgcr),
	ROW("GPIO2", 0x40080400, 0x200, PERIPHERAL_GPIO, 2, gpio),
	PLAIN("WDT1", 0x40080800, 0x400, wdt),
	ROW("TMR4", 0x40080C00, 0x400, PERIPHERAL_TIMER, 4, timer),
	ROW("TMR5", 0x40081000, 0x400, PERIPHERAL_TIMER, 5, timer),
	ROW("UART3", 0x40081400, 0x400, PERIPHERAL_UART, 3, uart),
	PLAIN("LPCMP", 0x40088000, 0x400, lpcmp),
	PLAIN("SPI0", 0x400BE000, 0x400, spi),
	ROW("FASTFIFO", 0x400C0400, 0x400, PERIPHERAL_FAST_FIFO, 0, fast_fifo),
	PLAIN("TRIMSIR", 0x40105400, 0x400, trimsir),
};

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

const struct peripheral_table max78000_peripherals = {max78000, ROWS(max78000)};
const struct peripheral_table max78002_peripherals = {max78002, ROWS(max78002)};

const struct peripheral *peripheral_find(const struct soc_part *part, uint32_t address)
{
	const struct peripheral *table = part->peripherals->rows;
	size_t low = 0, high = part->peripherals->count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (table[middle].base <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 || address - table[low - 1].base >= table[low - 1].bytes)
		return NULL;
	return &table[low - 1];
}

static const struct peripheral_register *find_register(const struct peripheral *peripheral, uint32_t address)
{
	uint32_t offset = (address - peripheral->base) & ~3u;
	for (size_t i = 0; i < peripheral->register_count; i++)
		if (peripheral->registers[i].offset == offset)
			return &peripheral->registers[i];
	return NULL;
}

static const char *core_name(uint32_t address)
{
	static const struct {
		uint32_t address;
		const char *name;
	} names[] = {
		{0xE000E010, "SysTick.CTRL"}, {0xE000E014, "SysTick.LOAD"}, {0xE000E018, "SysTick.VAL"},
		{0xE000ED04, "SCB.ICSR"},     {0xE000ED08, "SCB.VTOR"},     {0xE000ED0C, "SCB.AIRCR"},
		{0xE000ED10, "SCB.SCR"},      {0xE000ED88, "SCB.CPACR"},    {0xE0001004, "DWT.CYCCNT"},
	};
	for (size_t i = 0; i < ROWS(names); i++)
		if (names[i].address == address)
			return names[i].name;
	return NULL;
}

void peripheral_describe(const struct soc_part *part, uint32_t address, char *text, size_t size)
{
	const char *core = core_name(address);
	const struct peripheral *peripheral = peripheral_find(part, address);
	if (core != NULL) {
		(void)snprintf(text, size, "%s", core);
		return;
	}
	ai8x_location location;
	if (address >= CNN_BASE && ai8x_part_locate(part->part, address, &location) == AI8X_OK) {
		if (location.name != NULL && location.group >= 0)
			(void)snprintf(text, size, "CNN%d.%s", location.group, location.name);
		else
			(void)snprintf(text, size, "CNN %s", location.name != NULL ? location.name : location.region);
		return;
	}
	if (peripheral == NULL) {
		(void)snprintf(text, size, "0x%08x", address);
		return;
	}
	const struct peripheral_register *row = find_register(peripheral, address);
	if (row != NULL)
		(void)snprintf(text, size, "%s.%s", peripheral->name, row->name);
	else
		(void)snprintf(text, size, "%s+0x%x", peripheral->name, (unsigned)(address - peripheral->base));
}

static ai8x_firmware_register *note(struct ai8x_firmware *soc, uint32_t address)
{
	size_t low = 0, high = soc->result.register_count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (soc->registers[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < soc->result.register_count && soc->registers[low].address == address)
		return &soc->registers[low];
	if (soc->result.register_count == soc->register_capacity) {
		// Wild code can touch every word; nobody reads more names than this.
		if (soc->register_capacity >= 1024)
			return NULL;
		size_t capacity = soc->register_capacity == 0 ? 32 : 2 * soc->register_capacity;
		ai8x_firmware_register *grown = realloc(soc->registers, capacity * sizeof *grown);
		if (grown == NULL)
			return NULL;
		soc->registers = grown;
		soc->register_capacity = capacity;
		soc->result.registers = grown;
	}
	memmove(&soc->registers[low + 1], &soc->registers[low],
	        (soc->result.register_count - low) * sizeof soc->registers[0]);
	soc->result.register_count++;
	soc->registers[low] = (ai8x_firmware_register){.address = address};
	peripheral_describe(soc->soc, address, soc->registers[low].name, sizeof soc->registers[low].name);
	return &soc->registers[low];
}

void soc_unmodelled(struct ai8x_firmware *soc, const struct peripheral *peripheral, uint32_t address,
                    bool write)
{
	if (peripheral != NULL) {
		const struct peripheral_register *row = find_register(peripheral, address);
		if (row != NULL && row->storage)
			return;
	}
	ai8x_firmware_register *seen = note(soc, address & ~3u);
	if (seen != NULL && write)
		seen->writes++;
	else if (seen != NULL)
		seen->reads++;
	if (!write && soc->options.strict) {
		char name[32];
		peripheral_describe(soc->soc, address, name, sizeof name);
		cpu_end(soc, AI8X_FIRMWARE_UNMODELLED, AI8X_ERR_UNSUPPORTED,
		        "the firmware reads %s (0x%08x), which is not modelled", name, address);
	}
}
