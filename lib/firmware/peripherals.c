// The peripherals of both parts: one row each. A new one is a row here (both parts: in a run of common rows) and,
// unless a kind that exists will do, a file with its block.
//
// Facts: firmware reference 2; addresses, interrupts and reset bits from the vendor's register headers.
#include "firmware/soc.h"

#define RST0(bit) (1 + (bit))
#define RST1(bit) (33 + (bit))
#define LPRST(bit) (65 + (bit))

// Each is defined in the file of its kind.
extern const struct peripheral_block adc_block, adc_sar_block, aes_block, aeskeys_block, camera_block,
	cnn_block, crc_block, csi2_block, dma_block, dvs_block, fcr_block, flc_block, gcfr_block, gcr_block,
	gpio_block, i2c_block, i2s_block, icc_block, lpcmp_block, lpgcr_block, mcr_block, owm_block, pt_block,
	ptg_block, pwrseq_block, rtc_block, sdhc_block, sema_block, simo_block, sir_block, spi_block, timer_block,
	trimsir_block, trng_block, uart_block, wdt_block, wut_block;

// Rows that both parts have, in runs by address.
// clang-format off
#define GCR_TO_WDT0 \
	{"GCR", 0x40000000, 0x400, &gcr_block, 0, NO_RESET, NO_INTERRUPT, 0}, \
	{"SIR", 0x40000400, 0x400, &sir_block, 0, NO_RESET, NO_INTERRUPT, 0}, \
	{"FCR", 0x40000800, 0x400, &fcr_block, 0, NO_RESET, NO_INTERRUPT, 0}, \
	{"WDT0", 0x40003000, 0x400, &wdt_block, 0, RST0(1), 1, 0}
#define GCFR_TO_GPIO1 \
	{"GCFR", 0x40005800, 0x400, &gcfr_block, 0, NO_RESET, NO_INTERRUPT, 0}, \
	{"RTC", 0x40006000, 0x400, &rtc_block, 0, RST0(17), 3, 0}, \
	{"WUT", 0x40006400, 0x400, &wut_block, 0, NO_RESET, 53, 0}, \
	{"PWRSEQ", 0x40006800, 0x400, &pwrseq_block, 0, NO_RESET, 54, 0}, \
	{"MCR", 0x40006C00, 0x400, &mcr_block, 0, NO_RESET, NO_INTERRUPT, 0}, \
	{"AES", 0x40007400, 0x400, &aes_block, 0, RST1(10), 97, 16}, \
	{"AESKEYS", 0x40007800, 0x400, &aeskeys_block, 0, NO_RESET, NO_INTERRUPT, 0}, \
	{"GPIO0", 0x40008000, 0x1000, &gpio_block, 0, RST0(2), 24, 0}, \
	{"GPIO1", 0x40009000, 0x1000, &gpio_block, 1, RST0(3), 25, 0}
#define PCIF_TO_ICC1 \
	{"PCIF", 0x4000E000, 0x1000, &camera_block, 0, NO_RESET, 91, 13}, \
	{"CRC", 0x4000F000, 0x1000, &crc_block, 0, RST1(9), 98, 12}, \
	{"TMR0", 0x40010000, 0x1000, &timer_block, 0, RST0(5), 5, 0}, \
	{"TMR1", 0x40011000, 0x1000, &timer_block, 1, RST0(6), 6, 0}, \
	{"TMR2", 0x40012000, 0x1000, &timer_block, 2, RST0(7), 7, 0}, \
	{"TMR3", 0x40013000, 0x1000, &timer_block, 3, RST0(8), 8, 0}, \
	{"I2C0", 0x4001D000, 0x1000, &i2c_block, 0, RST0(16), 13, 7}, \
	{"I2C1", 0x4001E000, 0x1000, &i2c_block, 1, RST1(0), 36, 8}, \
	{"I2C2", 0x4001F000, 0x1000, &i2c_block, 2, RST1(20), 62, 10}, \
	{"DMA", 0x40028000, 0x1000, &dma_block, 0, RST0(0), 28, 0}, \
	{"FLC0", 0x40029000, 0x400, &flc_block, 0, NO_RESET, 23, 0}, \
	{"ICC0", 0x4002A000, 0x800, &icc_block, 0, NO_RESET, NO_INTERRUPT, 0}, \
	{"ICC1", 0x4002A800, 0x800, &icc_block, 1, NO_RESET, NO_INTERRUPT, 0}
#define PTG_TO_I2S \
	{"PTG", 0x4003C000, 0x20, &ptg_block, 0, RST1(1), 59, 0}, \
	{"PT0", 0x4003C020, 0x20, &pt_block, 0, RST1(1), NO_INTERRUPT, 0}, \
	{"PT1", 0x4003C040, 0x20, &pt_block, 1, RST1(1), NO_INTERRUPT, 0}, \
	{"PT2", 0x4003C060, 0x20, &pt_block, 2, RST1(1), NO_INTERRUPT, 0}, \
	{"PT3", 0x4003C080, 0x20, &pt_block, 3, RST1(1), NO_INTERRUPT, 0}, \
	{"OWM", 0x4003D000, 0x1000, &owm_block, 0, RST1(7), 67, 0}, \
	{"SEMA", 0x4003E000, 0x1000, &sema_block, 0, RST1(16), 63, 0}, \
	{"UART0", 0x40042000, 0x1000, &uart_block, 0, RST0(11), 14, 4}, \
	{"UART1", 0x40043000, 0x1000, &uart_block, 1, RST0(12), 15, 5}, \
	{"UART2", 0x40044000, 0x1000, &uart_block, 2, RST0(28), 34, 14}, \
	{"SPI1", 0x40046000, 0x1000, &spi_block, 1, RST0(13), 16, 1}, \
	{"TRNG", 0x4004D000, 0x1000, &trng_block, 0, RST0(24), 4, 0}, \
	{"I2S", 0x40060000, 0x1000, &i2s_block, 0, RST1(19), 99, 30}
#define LPGCR_TO_GPIO2 \
	{"LPGCR", 0x40080000, 0x400, &lpgcr_block, 0, NO_RESET, NO_INTERRUPT, 0}, \
	{"GPIO2", 0x40080400, 0x200, &gpio_block, 2, LPRST(0), 26, 0}
#define WDT1_TO_LPCMP \
	{"WDT1", 0x40080800, 0x400, &wdt_block, 1, LPRST(1), 57, 0}, \
	{"TMR4", 0x40080C00, 0x400, &timer_block, 4, LPRST(2), 9, 0}, \
	{"TMR5", 0x40081000, 0x400, &timer_block, 5, LPRST(3), 10, 0}, \
	{"UART3", 0x40081400, 0x400, &uart_block, 3, LPRST(4), 88, 28}, \
	{"LPCMP", 0x40088000, 0x400, &lpcmp_block, 0, LPRST(6), 103, 0}
#define SPI0_TO_FASTFIFO \
	{"SPI0", 0x400BE000, 0x400, &spi_block, 0, RST1(11), 56, 15}, \
	{"FASTFIFO", 0x400C0400, 0x400, &cnn_block, 0, NO_RESET, 101, 0}
// clang-format on

// By address.
static const struct peripheral max78000[] = {
	GCR_TO_WDT0,
	{"DVS", 0x40003C00, 0x400, &dvs_block, 0, RST1(24), 83, 0},
	{"SIMO", 0x40004400, 0x400, &simo_block, 0, RST1(25), 84, 0},
	{"TRIMSIR", 0x40005400, 0x400, &trimsir_block, 0, NO_RESET, NO_INTERRUPT, 0},
	GCFR_TO_GPIO1,
	PCIF_TO_ICC1,
	{"ADC", 0x40034000, 0x1000, &adc_sar_block, 0, RST0(26), 20, 9},
	PTG_TO_I2S,
	LPGCR_TO_GPIO2,
	{"GPIO3", 0x40080600, 0x200, &gpio_block, 3, NO_RESET, NO_INTERRUPT, 0},
	WDT1_TO_LPCMP,
	SPI0_TO_FASTFIFO,
};

static const struct peripheral max78002[] = {
	GCR_TO_WDT0,
	{"SIMO", 0x40004400, 0x400, &simo_block, 0, RST1(25), 84, 0},
	{"DVS", 0x40004800, 0x400, &dvs_block, 0, RST1(24), 83, 0},
	GCFR_TO_GPIO1,
	{"GPIO3", 0x4000B000, 0x1000, &gpio_block, 3, NO_RESET, NO_INTERRUPT, 0},
	PCIF_TO_ICC1,
	{"ADC", 0x40034000, 0x1000, &adc_block, 0, RST0(26), 20, 9},
	PTG_TO_I2S,
	{"CSI2", 0x40062000, 0x1000, &csi2_block, 0, NO_RESET, 104, 0},
	LPGCR_TO_GPIO2,
	WDT1_TO_LPCMP,
	{"SDHC", 0x400B6000, 0x1000, &sdhc_block, 0, NO_RESET, 66, 0},
	SPI0_TO_FASTFIFO,
	{"TRIMSIR", 0x40105400, 0x400, &trimsir_block, 0, NO_RESET, NO_INTERRUPT, 0},
};

#define TABLE(rows)                                                                                          \
	{                                                                                                        \
		(rows), sizeof(rows) / sizeof((rows)[0])                                                             \
	}

const struct peripheral_table max78000_peripherals = TABLE(max78000);
const struct peripheral_table max78002_peripherals = TABLE(max78002);
