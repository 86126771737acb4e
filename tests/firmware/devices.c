// What a board has outside of the chip, one letter of UART0 for each: echo, button (b, and t of the kit), camera (c; r
// its rate; n: nobody reads), sound (s, and l by interrupt), display (d, and h by hand), card, I2C, power manager,
// wires, sleep (z). q ends.
// Everything is printed, so that the test can compare it.
#include <stdio.h>
#include <string.h>

#include "board.h"

#define UART0 0x40042000u
#define UART1 0x40043000u
#define GPIO0 0x40008000u
#define GPIO2 0x40080400u
#define PCIF 0x4000E000u
#define DMA 0x40028000u
#define I2C1 0x4001E000u
#define I2S 0x40060000u
#define PTG 0x4003C000u
#define SPI0 0x400BE000u
#define SPI1 0x40046000u
#define RTC 0x40006000u
#define NVIC_ENABLE 0xE000E100u
#define NVIC_ENABLE2 0xE000E104u
#define NVIC_ENABLE3 0xE000E108u
#define NVIC_ENABLE4 0xE000E10Cu
#define NVIC_CLEAR3 0xE000E288u
#define VTOR 0xE000ED08u

void cnn_handler(void);
void cnn_handler(void)
{
}

static uint32_t table[16 + 105] __attribute__((aligned(512)));
static volatile uint32_t presses, heard;
static volatile char line[64];
static volatile unsigned length;

static void gpio_handler(void)
{
	REGISTER(GPIO0 + 0x48) = REGISTER(GPIO0 + 0x40);
	presses++;
}

static void uart_handler(void)
{
	while ((REGISTER(UART1 + 0x04) >> 4 & 1) == 0)
		if (length < sizeof line)
			line[length++] = (char)REGISTER(UART1 + 0x20);
	REGISTER(UART1 + 0x0C) = 0xFFFFFFFFu;
}

static void i2s_handler(void)
{
	REGISTER(I2S + 0x50) |= 2;
	heard++;
}

static char get(void)
{
	while ((REGISTER(UART0 + 0x04) >> 4 & 1) != 0)
		;
	return (char)REGISTER(UART0 + 0x20);
}

// ---- a bus by hand, as the vendor's camera drivers have it ----

#define SCL (1u << 30)
#define SDA (1u << 31)

static void clock_high(void)
{
	REGISTER(GPIO0 + 0x1C) = SCL;
}

static void clock_low(void)
{
	REGISTER(GPIO0 + 0x20) = SCL;
}

static void data(int level)
{
	REGISTER(GPIO0 + (level ? 0x1C : 0x20)) = SDA;
}

static void start(void)
{
	data(1);
	clock_high();
	data(0);
	clock_low();
}

static void stop(void)
{
	data(0);
	clock_high();
	data(1);
}

static int send_byte(unsigned byte)
{
	for (int i = 7; i >= 0; i--) {
		data((int)(byte >> i & 1));
		clock_high();
		clock_low();
	}
	REGISTER(GPIO0 + 0x14) = SDA;
	clock_high();
	const int refused = (REGISTER(GPIO0 + 0x24) & SDA) != 0;
	clock_low();
	REGISTER(GPIO0 + 0x10) = SDA;
	return refused;
}

static unsigned get_byte(void)
{
	unsigned byte = 0;
	REGISTER(GPIO0 + 0x14) = SDA;
	for (int i = 0; i < 8; i++) {
		clock_high();
		byte = byte << 1 | ((REGISTER(GPIO0 + 0x24) & SDA) != 0);
		clock_low();
	}
	REGISTER(GPIO0 + 0x10) = SDA;
	data(1); // no acknowledgement: the last byte
	clock_high();
	clock_low();
	return byte;
}

static unsigned sensor_get(unsigned key)
{
	start();
	if (send_byte(0x3C << 1))
		return 0xFFFF;
	(void)send_byte(key);
	stop();
	start();
	(void)send_byte(0x3C << 1 | 1);
	const unsigned byte = get_byte();
	stop();
	return byte;
}

static void sensor_set(unsigned key, unsigned byte)
{
	start();
	(void)send_byte(0x3C << 1);
	(void)send_byte(key);
	(void)send_byte(byte);
	stop();
}

// ---- one letter each ----

// The first address that answers on the camera's wires, where drivers look for it.
static void scan(void)
{
	REGISTER(GPIO0 + 0x1C) = SCL | SDA;
	REGISTER(GPIO0 + 0x10) = SCL | SDA;
	for (unsigned address = 1; address < 0x80; address++) {
		start();
		const int refused = send_byte(address << 1);
		stop();
		if (!refused) {
			printf("wires: %02x\n", address);
			return;
		}
	}
	printf("wires: nobody\n");
}

static void echo(void)
{
	printf("echo: ");
	for (char c = get(); c != '\n'; c = get())
		printf("%c", c);
	printf("\n");
}

static void by_interrupt(void)
{
	REGISTER(NVIC_ENABLE) = 1u << 15;
	REGISTER(UART1) |= 1;
	REGISTER(UART1 + 0x08) = 1u << 4;
	while (length == 0 || line[length - 1] != '\n')
		__asm volatile("wfi");
	printf("uart1: %.*s", (int)length, (const char *)line);
	for (unsigned i = 0; i < length; i++)
		REGISTER(UART1 + 0x20) = (uint32_t)line[i];
}

static void button(void)
{
	REGISTER(GPIO0 + 0x28) |= 1u << 2;    // by edge
	REGISTER(GPIO0 + 0x2C) &= ~(1u << 2); // that falls
	REGISTER(GPIO0 + 0x38) = 1u << 2;
	REGISTER(NVIC_ENABLE) = 1u << 24;
	REGISTER(RTC + 0x10) = 1u << 15 | 1;
	const uint32_t before = presses;
	while (presses == before)
		__asm volatile("wfi");
	printf("button: pin %lu, P0.5 %lu, %lu s\n", (unsigned long)(REGISTER(GPIO0 + 0x24) >> 2 & 1),
	       (unsigned long)(REGISTER(GPIO0 + 0x24) >> 5 & 1), (unsigned long)REGISTER(RTC));
}

// SW1 of the evaluation kit: before, during and after a press at 1 s that takes 1 s.
static void kit_button(void)
{
	printf("kit:");
	for (uint32_t pressed = 0; pressed < 2; pressed++) {
		printf(" %lu", (unsigned long)(REGISTER(GPIO2 + 0x24) >> 6 & 1));
		while ((REGISTER(GPIO2 + 0x24) >> 6 & 1) != pressed)
			;
	}
	printf(" %lu\n", (unsigned long)(REGISTER(GPIO2 + 0x24) >> 6 & 1));
}

static void camera(void)
{
	static uint16_t pixels[4 * 4];
	REGISTER(GPIO0 + 0x1C) = SCL | SDA;
	REGISTER(GPIO0 + 0x10) = SCL | SDA;
	printf("camera: %02x %02x\n", sensor_get(0x0A), sensor_get(0x0B));
	sensor_set(0x12, 0x80);
	printf("reset: %02x\n", sensor_get(0x12));
	sensor_set(0x12, 0x06);
	sensor_set(0xCC, 0);
	sensor_set(0xCD, 4);
	sensor_set(0xCE, 0);
	sensor_set(0xCF, 5);
	for (int frame = 0; frame < 2; frame++) {
		uint32_t *to = (uint32_t *)pixels;
		REGISTER(PCIF + 0x10) = 0xFFFFFFFFu;
		REGISTER(PCIF + 0x08) = 1u << 31 | 1u << 5 | 1;
		while ((REGISTER(PCIF + 0x10) & 9) == 0 || to < (uint32_t *)pixels + 8) {
			if ((REGISTER(PCIF + 0x10) & 8) != 0) {
				*to++ = REGISTER(PCIF + 0x30);
				REGISTER(PCIF + 0x10) = 8;
			}
		}
		for (int i = 0; i < 16; i++)
			printf("%04x%c", (unsigned)(uint16_t)(pixels[i] >> 8 | pixels[i] << 8), i % 4 == 3 ? '\n' : ' ');
	}
}

// One WFI lasts until the frame's interrupt, whatever DMA moves meanwhile.
static void sleep_through_a_frame(void)
{
	static uint32_t frame[8];
	sensor_set(0xCF, 4); // newer drivers ask for what they take
	REGISTER(DMA + 0x10C) = (uint32_t)frame;
	REGISTER(DMA + 0x110) = sizeof frame;
	REGISTER(DMA + 0x100) = 3u << 24 | 1u << 22 | 2u << 20 | 2u << 16 | 13u << 4 | 1;
	REGISTER(PCIF + 0x10) = UINT32_MAX;
	REGISTER(PCIF + 0x0C) = 1;
	__asm volatile("cpsid i" ::: "memory");
	REGISTER(NVIC_ENABLE3) = 1u << 27;
	REGISTER(PCIF + 0x08) = 1u << 31 | 3u << 16 | 1u << 5 | 1;
	__asm volatile("wfi");
	printf("slept: done %lu, %lu bytes left\n", (unsigned long)(REGISTER(PCIF + 0x10) & 1),
	       (unsigned long)REGISTER(DMA + 0x110));
	REGISTER(PCIF + 0x0C) = 0;
	REGISTER(NVIC_CLEAR3) = 1u << 27;
	__asm volatile("cpsie i" ::: "memory");
}

// A frame that nobody reads ends all the same.
static void ignore_a_frame(void)
{
	REGISTER(PCIF + 0x10) = UINT32_MAX;
	REGISTER(PCIF + 0x08) = 1u << 31 | 1u << 5 | 1;
	while ((REGISTER(PCIF + 0x10) & 1) == 0)
		;
	printf("ignored: mode %lu\n", (unsigned long)(REGISTER(PCIF + 0x08) & 3));
	REGISTER(PCIF + 0x08) = 0;
}

// How long frames take at a sensor clock of 5 MHz, and at half of it: the sensor's own divider.
static void rate(void)
{
	REGISTER(GPIO0 + 0x1C) = SCL | SDA;
	REGISTER(GPIO0 + 0x10) = SCL | SDA;
	REGISTER(PTG + 0x20) = 1u << 27 | 5; // a square wave of half of a fifth of 50 MHz
	REGISTER(PTG) = 1;
	printf("rate:");
	for (unsigned divider = 0; divider < 2; divider++) {
		sensor_set(0x11, divider);
		board_stopwatch_start();
		REGISTER(PCIF + 0x10) = 0xFFFFFFFFu;
		REGISTER(PCIF + 0x08) = 1u << 31 | 1u << 5 | 1;
		while ((REGISTER(PCIF + 0x10) & 1) == 0)
			while ((REGISTER(PCIF + 0x10) & 8) != 0) {
				(void)REGISTER(PCIF + 0x30);
				REGISTER(PCIF + 0x10) = 8;
			}
		printf(" %lu", (unsigned long)board_stopwatch() / 1000);
	}
	printf(" ms\n");
}

static void sound(void)
{
	REGISTER(I2S + 0x10) = 5u << 16 | 1u << 8 | 31; // 16 kHz
	REGISTER(I2S) = 1u << 17 | 1u << 24;
	printf("sound:");
	for (int i = 0; i < 12; i++) {
		while (REGISTER(I2S + 0x30) >> 24 == 0)
			;
		printf(" %ld", (long)((int32_t)REGISTER(I2S + 0x40) >> 16));
	}
	printf("\n");
}

// As keyword demos listen: the handler clears the flag, and the main program empties the FIFO.
static void sound_by_interrupt(void)
{
	REGISTER(NVIC_ENABLE4) = 1u << 3;
	REGISTER(I2S + 0x10) = 5u << 16 | 1u << 8 | 31;
	REGISTER(I2S + 0x54) = 2;
	REGISTER(I2S) = 1u << 17 | 3u << 24;
	printf("by interrupt:");
	for (int n = 0; n < 12;) {
		while (heard == 0)
			;
		heard = 0;
		for (unsigned level = REGISTER(I2S + 0x30) >> 24; level > 0; level--, n++)
			printf(" %ld", (long)((int32_t)REGISTER(I2S + 0x40) >> 16));
	}
	REGISTER(I2S) = 0;
	printf("\n");
}

static unsigned spi(uint32_t base, unsigned select, unsigned byte)
{
	REGISTER(base + 0x04) = 3 | select << 16;
	REGISTER(base + 0x08) = 1u << 16 | 1;
	REGISTER(base + 0x0C) = 8u << 8;
	REGISTER(base + 0x1C) = 1u << 6 | 1u << 22;
	REGISTER(base + 0x20) = 0xFFFFFFFFu;
	BYTE(base) = (uint8_t)byte;
	REGISTER(base + 0x04) |= 1u << 5;
	while ((REGISTER(base + 0x20) >> 11 & 1) == 0)
		;
	return BYTE(base);
}

static void command(unsigned byte)
{
	REGISTER(GPIO0 + 0x10) = 1u << 8;
	REGISTER(GPIO0 + 0x20) = 1u << 8;
	(void)spi(SPI0, 2, byte);
	REGISTER(GPIO0 + 0x1C) = 1u << 8;
}

// As the display drivers of the MAX78002's kit send: a start with every character, unless one is on its way.
static void by_hand(void)
{
	REGISTER(SPI0 + 0x04) = 3 | 2u << 16;
	REGISTER(SPI0 + 0x08) = 5;
	REGISTER(SPI0 + 0x0C) = 8u << 8;
	REGISTER(SPI0 + 0x14) = 4u << 8 | 4;
	REGISTER(SPI0 + 0x1C) = 1u << 6;
	REGISTER(SPI0 + 0x20) = 0xFFFFFFFFu;
	for (unsigned i = 0; i < 5; i++) {
		BYTE(SPI0) = (uint8_t)i;
		if ((REGISTER(SPI0 + 0x04) >> 5 & 1) == 0)
			REGISTER(SPI0 + 0x04) |= 1u << 5;
	}
	for (int i = 0; i < 1000 && (REGISTER(SPI0 + 0x20) >> 11 & 1) == 0; i++)
		;
	printf("by hand: done %d, busy %d\n", (int)(REGISTER(SPI0 + 0x20) >> 11 & 1),
	       (int)(REGISTER(SPI0 + 0x30) & 1));
}

static void window(unsigned which, unsigned first, unsigned last)
{
	command(which);
	(void)spi(SPI0, 2, first >> 8);
	(void)spi(SPI0, 2, first);
	(void)spi(SPI0, 2, last >> 8);
	(void)spi(SPI0, 2, last);
}

static void display(void)
{
	static const uint16_t colours[] = {0xF800, 0x07E0, 0x001F};
	command(0x36);
	(void)spi(SPI0, 2, 0x20); // turned
	for (unsigned i = 0; i < 3; i++) {
		window(0x2A, 10 + 20 * i, 19 + 20 * i);
		window(0x2B, 5, 9);
		command(0x2C);
		for (int n = 0; n < 50; n++) {
			(void)spi(SPI0, 2, colours[i] >> 8);
			(void)spi(SPI0, 2, colours[i] & 255);
		}
	}
	printf("display: done\n");
}

static unsigned card_command(unsigned number, uint32_t argument)
{
	const uint8_t bytes[] = {(uint8_t)(0x40 | number), (uint8_t)(argument >> 24), (uint8_t)(argument >> 16),
	                         (uint8_t)(argument >> 8), (uint8_t)argument,         number == 0 ? 0x95 : 0x87};
	for (unsigned i = 0; i < sizeof bytes; i++)
		(void)spi(SPI1, 1, bytes[i]);
	for (int i = 0; i < 8; i++) {
		const unsigned answer = spi(SPI1, 1, 0xFF);
		if ((answer & 0x80) == 0)
			return answer;
	}
	return 0xFF;
}

static void card(void)
{
	static uint8_t block[512];
	printf("card: %02x", card_command(0, 0));
	printf(" %02x", card_command(8, 0x1AA));
	for (int i = 0; i < 4; i++)
		(void)spi(SPI1, 1, 0xFF);
	do
		(void)card_command(55, 0);
	while (card_command(41, 1u << 30) != 0);
	printf(" %02x", card_command(58, 0));
	printf(" %02x\n", spi(SPI1, 1, 0xFF));
	printf("beyond: %02x\n", card_command(17, 1000000));
	printf("read: %02x", card_command(17, 1));
	while (spi(SPI1, 1, 0xFF) != 0xFE)
		;
	for (unsigned i = 0; i < 512; i++)
		block[i] = (uint8_t)spi(SPI1, 1, 0xFF);
	(void)spi(SPI1, 1, 0xFF);
	(void)spi(SPI1, 1, 0xFF);
	printf(" %.16s\n", (const char *)block);
	printf("write: %02x", card_command(24, 2));
	(void)spi(SPI1, 1, 0xFF);
	(void)spi(SPI1, 1, 0xFE);
	for (unsigned i = 0; i < 512; i++)
		(void)spi(SPI1, 1, block[i] == 0 ? '.' : block[i] ^ 0x20);
	(void)spi(SPI1, 1, 0);
	(void)spi(SPI1, 1, 0);
	printf(" %02x\n", spi(SPI1, 1, 0xFF) & 0x1F);
	while (spi(SPI1, 1, 0xFF) != 0xFF)
		;
}

static int i2c_write(unsigned address, unsigned byte, int ends)
{
	REGISTER(I2C1) = 3;
	REGISTER(I2C1 + 0x08) = 0xFFFFFFFFu;
	REGISTER(I2C1 + 0x2C) = address << 1;
	REGISTER(I2C1 + 0x30) |= 1;
	while ((REGISTER(I2C1 + 0x08) & (1u << 7 | 1u << 10)) == 0)
		;
	if ((REGISTER(I2C1 + 0x08) >> 10 & 1) != 0) {
		REGISTER(I2C1 + 0x30) |= 4;
		return -1;
	}
	REGISTER(I2C1 + 0x2C) = byte;
	if (ends)
		REGISTER(I2C1 + 0x30) |= 4;
	return 0;
}

static void i2c_read(unsigned address, unsigned key, unsigned count)
{
	if (i2c_write(address, key, 0) != 0) {
		printf("i2c: nobody at %02x\n", address);
		return;
	}
	REGISTER(I2C1 + 0x20) = count;
	REGISTER(I2C1 + 0x30) |= 2;
	REGISTER(I2C1 + 0x2C) = address << 1 | 1;
	printf("i2c %02x:", address);
	for (unsigned i = 0; i < count; i++) {
		while ((REGISTER(I2C1 + 0x04) >> 1 & 1) != 0)
			;
		printf(" %02lx", (unsigned long)REGISTER(I2C1 + 0x2C));
	}
	REGISTER(I2C1 + 0x30) |= 4;
	printf("\n");
}

int main(void)
{
	board_start();
	const uint32_t *original = (const uint32_t *)REGISTER(VTOR);
	memcpy(table, original, sizeof table);
	table[16 + 24] = (uint32_t)gpio_handler;
	table[16 + 15] = (uint32_t)uart_handler;
	table[16 + 99] = (uint32_t)i2s_handler;
	REGISTER(VTOR) = (uint32_t)table;
	for (char c = get(); c != 'q'; c = get())
		if (c == 'e')
			echo();
		else if (c == 'u')
			by_interrupt();
		else if (c == 'b')
			button();
		else if (c == 'c')
			camera();
		else if (c == 't')
			kit_button();
		else if (c == 'r')
			rate();
		else if (c == 's')
			sound();
		else if (c == 'l')
			sound_by_interrupt();
		else if (c == 'd')
			display();
		else if (c == 'h')
			by_hand();
		else if (c == 'k')
			card();
		else if (c == 'i') {
			i2c_read(0x1D, 0x00, 2);
			i2c_read(0x1D, 0x32, 1);
			i2c_read(0x1D, 0x32, 1);
			i2c_read(0x40, 0xE3, 3);
			i2c_read(0x50, 0x00, 1);
		} else if (c == 'p')
			i2c_read(0x28, 0x00, 1);
		else if (c == 'w')
			scan();
		else if (c == 'z')
			sleep_through_a_frame();
		else if (c == 'n')
			ignore_a_frame();
	printf("*** PASS ***\n");
	__asm volatile("mov r0, #0x18\n\tldr r1, =0x20026\n\tbkpt 0xAB" ::: "r0", "r1");
	return 0;
}
