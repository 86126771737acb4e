// What drivers wait for: bits that clear themselves, ready and done bits; DMA, flash, clocks. Prints PASS, or the first
// line that failed.
#include <stdio.h>

#include "board.h"

#define RTC 0x40006000u
#define WUT 0x40006400u
#define CRC 0x4000F000u
#define I2C 0x4001E000u
#define DMA 0x40028000u
#define FLC 0x40029000u
#define ADC 0x40034000u
#define PTG 0x4003C000u
#define OWM 0x4003D000u
#define SEMA 0x4003E000u
#define SPI 0x40046000u
#define TRNG 0x4004D000u
#define I2S 0x40060000u
#define AES 0x40007400u
#define WDT 0x40003000u
#define GCR 0x40000000u
#define NVIC_ENABLE 0xE000E100u
#define VTOR 0xE000ED08u

#define CHECK(condition)                                                                                     \
	do {                                                                                                     \
		if (!(condition)) {                                                                                  \
			printf("*** FAIL *** line %d: %s\n", __LINE__, #condition);                                      \
			return 1;                                                                                        \
		}                                                                                                    \
	} while (0)

void cnn_handler(void);
void cnn_handler(void)
{
}

static uint32_t table[16 + 105] __attribute__((aligned(512)));
static volatile uint32_t copies, alarms, wakes;
static uint32_t from[64], to[64];

static void dma_handler(void)
{
	copies++;
	REGISTER(DMA + 0x104) = 1u << 2;
}

static void rtc_handler(void)
{
	alarms++;
	REGISTER(RTC + 0x10) &= ~(3u << 6);
}

static void wut_handler(void)
{
	wakes++;
	REGISTER(WUT + 0x0C) = 1;
}

// Sets a bit that hardware clears, and waits as drivers do.
static int clears(uint32_t address, uint32_t bit)
{
	REGISTER(address) |= bit;
	while ((REGISTER(address) & bit) != 0)
		;
	return 1;
}

static int check_bits(void)
{
	CHECK(clears(I2C + 0x1C, 1u << 7) && clears(I2C + 0x24, 1u << 7));
	CHECK(clears(I2S, 1u << 18) && clears(SPI + 0x1C, 1u << 7 | 1u << 23));
	CHECK(clears(PTG + 0x04, 1) && clears(GCR + 0x44, 1u << 1) && clears(GCR, 1u << 6));
	REGISTER(PTG) |= 1;
	while ((REGISTER(PTG) & 1) == 0)
		;
	CHECK(clears(AES, 1u << 4 | 1u << 5));
	CHECK((REGISTER(AES + 4) & 1) == 0 && (REGISTER(WDT) >> 28 & 1) != 0);
#ifdef PART_MAX78002
	// Two slots of a sequence, read from the FIFO.
	REGISTER(ADC) |= 1;
	while ((REGISTER(ADC + 0x54) & 1) == 0)
		;
	REGISTER(ADC + 0x04) = 1u << 16;
	CHECK(clears(ADC + 0x04, 1) && (REGISTER(ADC + 0x48) >> 8 & 31) == 2);
	CHECK(REGISTER(ADC + 0x44) < 0x1000 && REGISTER(ADC + 0x44) < 0x1000);
	CHECK((REGISTER(ADC + 0x44) >> 24 & 1) != 0);
#else
	REGISTER(ADC) |= 1u << 3;
	while ((REGISTER(ADC + 0x0C) >> 17 & 1) == 0)
		;
	CHECK(clears(ADC, 1) && (REGISTER(ADC + 0x0C) >> 16 & 1) != 0);
	REGISTER(ADC + 0x0C) |= 1u << 16;
	CHECK((REGISTER(ADC + 0x0C) >> 16 & 1) == 0);
#endif
	CHECK(clears(OWM + 0x08, 1) && (REGISTER(OWM + 0x10) & 1) != 0 && (REGISTER(OWM + 0x08) >> 7 & 1) == 0);
	CHECK((REGISTER(TRNG + 4) & 1) != 0 && REGISTER(TRNG + 8) != REGISTER(TRNG + 8));
	CHECK((REGISTER(SEMA) & 1) == 0 && (REGISTER(SEMA) & 1) != 0);
	REGISTER(SEMA) = 0;
	CHECK((REGISTER(SEMA) & 1) == 0);
	return 0;
}

static int check_buses(void)
{
	// Nobody acknowledges the address; the stop ends the transfer.
	REGISTER(I2C) = 3;
	REGISTER(I2C + 0x08) = 0xFFFFFFFFu;
	REGISTER(I2C + 0x2C) = 0x42u << 1;
	REGISTER(I2C + 0x30) |= 1;
	while ((REGISTER(I2C + 0x08) & (1u << 7 | 1u << 10)) == 0)
		;
	CHECK((REGISTER(I2C + 0x08) >> 10 & 1) != 0);
	REGISTER(I2C + 0x30) |= 4;
	while ((REGISTER(I2C + 0x08) & (1u << 6 | 1u)) != (1u << 6 | 1u))
		;
	// Eight characters go out and come back.
	REGISTER(SPI + 0x04) = 3 | 1u << 16;
	REGISTER(SPI + 0x08) = 8u << 16 | 8;
	REGISTER(SPI + 0x0C) = 8u << 8;
	REGISTER(SPI + 0x1C) = 1u << 6 | 1u << 22;
	REGISTER(SPI) = 0x04030201;
	REGISTER(SPI) = 0x08070605;
	REGISTER(SPI + 0x04) |= 1u << 5;
	while ((REGISTER(SPI + 0x20) >> 11 & 1) == 0)
		;
	CHECK((REGISTER(SPI + 0x1C) >> 24 & 63) == 8 && (REGISTER(SPI + 0x30) & 1) == 0);
	return 0;
}

static int check_crc(void)
{
	// "123456789" with the polynomial of Ethernet.
	REGISTER(CRC) = 1;
	REGISTER(CRC + 0x08) = 0xEDB88320u;
	REGISTER(CRC + 0x0C) = 0xFFFFFFFFu;
	for (const char *c = "123456789"; *c != 0; c++)
		BYTE(CRC + 0x04) = (uint8_t)*c;
	CHECK((REGISTER(CRC + 0x0C) ^ 0xFFFFFFFFu) == 0xCBF43926u);
	return 0;
}

#define AESKEYS 0x40007800u

// One block, words as the vendor's driver passes them on.
static void aes_block(uint32_t type, const uint32_t in[4], uint32_t out[4])
{
	REGISTER(AES) = 1 | type;
	for (int i = 3; i >= 0; i--)
		REGISTER(AES + 0x10) = in[i];
	while ((REGISTER(AES + 0x08) & 1) == 0)
		;
	REGISTER(AES + 0x08) = 1;
	for (int i = 3; i >= 0; i--)
		out[i] = REGISTER(AES + 0x10);
}

// The examples of FIPS 197, appendix C.
static int check_aes(void)
{
	static const uint32_t plain[4] = {0x00112233, 0x44556677, 0x8899AABB, 0xCCDDEEFF};
	static const uint32_t expected[3][4] = {{0x69C4E0D8, 0x6A7B0430, 0xD8CDB780, 0x70B4C55A},
	                                        {0xDDA97CA4, 0x864CDFE0, 0x6EAF70A0, 0xEC0D7191},
	                                        {0x8EA2B7CA, 0x516745BF, 0xEAFC4990, 0x4B496089}};
	for (uint32_t size = 0; size < 3; size++) {
		const uint32_t words = 4 + 2 * size;
		uint32_t out[4];
		for (uint32_t i = 0; i < words; i++)
			REGISTER(AESKEYS + 4 * (words - 1 - i)) = 0x00010203 + 0x04040404 * i;
		aes_block(size << 6, plain, out);
		for (int i = 0; i < 4; i++)
			CHECK(out[i] == expected[size][i]);
		aes_block(size << 6 | 1u << 8, expected[size], out);
		for (int i = 0; i < 4; i++)
			CHECK(out[i] == plain[i]);
	}
	return 0;
}

static int check_dma(void)
{
	for (unsigned i = 0; i < 64; i++)
		from[i] = i * 0x01010101u;
	REGISTER(NVIC_ENABLE) = 1u << 28;
	REGISTER(DMA) = 1;
	REGISTER(DMA + 0x108) = (uint32_t)from;
	REGISTER(DMA + 0x10C) = (uint32_t)to;
	REGISTER(DMA + 0x110) = sizeof from;
	REGISTER(DMA + 0x100) = 1u << 31 | 2u << 16 | 1u << 18 | 2u << 20 | 1u << 22 | 1;
	while (copies == 0)
		__asm volatile("wfi");
	for (unsigned i = 0; i < 64; i++)
		CHECK(to[i] == from[i]);
	CHECK((REGISTER(DMA + 0x100) & 1) == 0 && REGISTER(DMA + 0x110) == 0);
	// A second transfer by reload, of which only the control register speaks; the count of the reload shows its bit.
	REGISTER(DMA + 0x108) = (uint32_t)from;
	REGISTER(DMA + 0x10C) = (uint32_t)to;
	REGISTER(DMA + 0x110) = 4;
	REGISTER(DMA + 0x114) = (uint32_t)(from + 7);
	REGISTER(DMA + 0x118) = (uint32_t)(to + 1);
	REGISTER(DMA + 0x11C) = 4;
	REGISTER(DMA + 0x100) = 1u << 31 | 2u << 16 | 1u << 18 | 2u << 20 | 1u << 22 | 2;
	CHECK(REGISTER(DMA + 0x11C) == (1u << 31 | 4));
	REGISTER(DMA + 0x11C) = 4;
	CHECK((REGISTER(DMA + 0x100) & 2) == 0);
	REGISTER(DMA + 0x100) |= 3;
	while ((REGISTER(DMA + 0x100) & 1) != 0)
		;
	CHECK(to[0] == 0 && to[1] == from[7] && (REGISTER(DMA + 0x100) & 3) == 0 && REGISTER(DMA + 0x11C) == 4);
	// The same bytes to the CRC unit.
	REGISTER(CRC) = 3;
	REGISTER(CRC + 0x0C) = 0xFFFFFFFFu;
	REGISTER(DMA + 0x108) = (uint32_t) "123456789";
	REGISTER(DMA + 0x110) = 9;
	const uint32_t before = copies;
	REGISTER(DMA + 0x100) = 1u << 31 | 0x2Cu << 4 | 1u << 18 | 1;
	while (copies == before)
		__asm volatile("wfi");
	CHECK((REGISTER(CRC + 0x0C) ^ 0xFFFFFFFFu) == 0xCBF43926u);
	return 0;
}

static int check_flash(void)
{
	const uint32_t page = 0x1007E000u;
	REGISTER(FLC) = page;
	REGISTER(FLC + 0x08) = 2u << 28 | 0x55u << 8 | 4;
	while ((REGISTER(FLC + 0x08) & 7) != 0 || (REGISTER(FLC + 0x24) & 1) == 0)
		;
	CHECK(REGISTER(page) == 0xFFFFFFFFu && REGISTER(page + 0x1FFC) == 0xFFFFFFFFu);
	for (unsigned i = 0; i < 4; i++)
		REGISTER(FLC + 0x30 + 4 * i) = 0x12340000u + i;
	REGISTER(FLC + 0x08) = 2u << 28 | 1;
	CHECK(REGISTER(page) == 0x12340000u && REGISTER(page + 12) == 0x12340003u);
	// Bits are cleared, never set; a locked controller refuses.
	REGISTER(FLC + 0x30) = 0xFFFF000Fu;
	REGISTER(FLC + 0x08) = 2u << 28 | 1;
	CHECK(REGISTER(page) == 0x12340000u && (REGISTER(FLC + 0x24) & 2) == 0);
	REGISTER(FLC + 0x08) = 1;
	CHECK((REGISTER(FLC + 0x24) & 2) != 0);
	return 0;
}

static int check_clocks(void)
{
	REGISTER(NVIC_ENABLE) = 1u << 3;
	REGISTER(RTC + 0x10) = 1u << 15 | 1;
	const uint32_t before = REGISTER(RTC);
	REGISTER(RTC + 0x08) = before + 2;
	REGISTER(RTC + 0x10) |= 2;
	while (alarms == 0)
		__asm volatile("wfi");
	CHECK(REGISTER(RTC) == before + 2 && REGISTER(RTC + 0x04) < 40);
	// 3277 ticks of 32768 Hz: a tenth of a second.
	REGISTER(NVIC_ENABLE + 4) = 1u << (53 - 32);
	REGISTER(WUT) = 1;
	REGISTER(WUT + 0x04) = 3277;
	REGISTER(WUT + 0x10) = 1u << 7;
	while (wakes == 0)
		__asm volatile("wfi");
	const uint32_t parts = REGISTER(RTC + 0x04);
	CHECK(parts > 400 && parts < 450 && (REGISTER(WUT + 0x10) >> 7 & 1) == 0);
	return 0;
}

int main(void)
{
	board_start();
	const uint32_t *original = (const uint32_t *)REGISTER(VTOR);
	for (unsigned i = 0; i < 16 + 105; i++)
		table[i] = original[i];
	table[16 + 28] = (uint32_t)dma_handler;
	table[16 + 3] = (uint32_t)rtc_handler;
	table[16 + 53] = (uint32_t)wut_handler;
	REGISTER(VTOR) = (uint32_t)table;
	if (check_bits() || check_buses() || check_crc() || check_aes() || check_dma() || check_flash() ||
	    check_clocks())
		return 1;
	printf("*** PASS ***\n");
	__asm volatile("mov r0, #0x18\n\tldr r1, =0x20026\n\tbkpt 0xAB" ::: "r0", "r1");
	return 0;
}
