// SD cards in their SPI mode: commands, blocks of 512 bytes, answers.
//
// Facts: SD specifications, physical layer, simplified, chapter 7. The card is a high-capacity one: addresses count
// blocks.
#include "firmware/devices.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

#define BLOCK 512u
#define IDLE 0x01u
#define ILLEGAL 0x04u
#define ADDRESS_ERROR 0x20u
#define TOKEN 0xFEu
#define TOKEN_MANY 0xFCu
#define TOKEN_STOP 0xFDu
#define ACCEPTED 0x05u

struct card {
	uint8_t *bytes; // a private view of the file: writes stay here
	size_t size;
	bool idle, application; // not initialised yet; the next command is one for applications
	uint8_t command[6];
	unsigned have;
	uint8_t answer[BLOCK + 32];
	size_t answer_size, answer_at;
	uint32_t block;
	bool reads_on; // blocks follow until they are stopped
	enum { NOT_WRITING, ONE_BLOCK, MANY_BLOCKS } writes;
	bool taking; // the bytes of a block
	uint8_t data[BLOCK + 2];
	size_t taken;
};

ai8x_status card_create(const char *path, struct card **result, ai8x_error *error)
{
	struct stat info;
	int file;
	ai8x_status status = file_open(path, &file, &info, error);
	if (status != AI8X_OK)
		return status;
	struct card *card = calloc(1, sizeof *card);
	if (card == NULL)
		status = error_no_memory(error, "a card");
	else if (info.st_size < (off_t)BLOCK || info.st_size % BLOCK != 0)
		status =
			error_set(error, AI8X_ERR_FORMAT,
		              "%s: not the image of a card: its size is not a multiple of %u bytes", path, BLOCK);
	else {
		card->size = (size_t)info.st_size;
		card->bytes = mmap(NULL, card->size, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
		if (card->bytes == MAP_FAILED) {
			card->bytes = NULL;
			status = error_no_memory(error, path);
		}
	}
	(void)close(file);
	if (status != AI8X_OK) {
		card_destroy(card);
		return status;
	}
	card->idle = true;
	*result = card;
	return AI8X_OK;
}

ai8x_status card_save(const struct card *card, const char *path, ai8x_error *error)
{
	return file_write_any(path, card->bytes, card->size, error);
}

void card_destroy(struct card *card)
{
	if (card != NULL && card->bytes != NULL)
		(void)munmap(card->bytes, card->size);
	free(card);
}

static void answer(struct card *card, const uint8_t *bytes, size_t size)
{
	memcpy(card->answer + card->answer_size, bytes, size);
	card->answer_size += size;
}

static void answer_byte(struct card *card, uint8_t byte)
{
	answer(card, &byte, 1);
}

static uint16_t check_sum(const uint8_t *bytes, size_t size)
{
	uint16_t sum = 0;
	for (size_t i = 0; i < size; i++) {
		sum = (uint16_t)(sum ^ (uint16_t)(bytes[i] << 8));
		for (int bit = 0; bit < 8; bit++)
			sum = (uint16_t)((sum & 0x8000) != 0 ? sum << 1 ^ 0x1021 : sum << 1);
	}
	return sum;
}

static void answer_data(struct card *card, const uint8_t *bytes, size_t size)
{
	const uint16_t sum = check_sum(bytes, size);
	answer_byte(card, 0xFF);
	answer_byte(card, TOKEN);
	answer(card, bytes, size);
	answer_byte(card, (uint8_t)(sum >> 8));
	answer_byte(card, (uint8_t)sum);
}

static bool has_block(const struct card *card, uint32_t block)
{
	return (uint64_t)block * BLOCK + BLOCK <= card->size;
}

static void describe(struct card *card, bool identity)
{
	uint8_t bytes[16] = {0};
	if (identity)
		memcpy(bytes,
		       "\x01"
		       "AISIMSD"
		       "\x10",
		       9);
	else {
		const uint32_t units = (uint32_t)(card->size / (BLOCK * 1024));
		const uint32_t size = units > 0 ? units - 1 : 0;
		bytes[0] = 0x40;
		bytes[1] = 0x0E;
		bytes[3] = 0x32;
		bytes[4] = 0x5B;
		bytes[5] = 0x59;
		bytes[7] = (uint8_t)(size >> 16 & 0x3F);
		bytes[8] = (uint8_t)(size >> 8);
		bytes[9] = (uint8_t)size;
		bytes[10] = 0x7F;
		bytes[11] = 0x80;
		bytes[12] = 0x0A;
		bytes[13] = 0x40;
	}
	bytes[15] = 0x01;
	answer_data(card, bytes, sizeof bytes);
}

static void obey(struct card *card)
{
	const uint8_t number = card->command[0] & 0x3F;
	const uint32_t argument = (uint32_t)card->command[1] << 24 | (uint32_t)card->command[2] << 16 |
	                          (uint32_t)card->command[3] << 8 | card->command[4];
	const uint8_t state = card->idle ? IDLE : 0;
	const bool application = card->application;
	card->answer_size = card->answer_at = 0;
	card->application = number == 55;
	card->reads_on = false;
	answer_byte(card, 0xFF);
	switch (number) {
	case 0:
		card->idle = true;
		card->writes = NOT_WRITING;
		answer_byte(card, IDLE);
		break;
	case 8:
		answer(card, (const uint8_t[]){state, 0, 0, 1, (uint8_t)argument}, 5);
		break;
	case 1:
	case 41:
		if (number == 41 && !application) {
			answer_byte(card, state | ILLEGAL);
			break;
		}
		card->idle = false;
		answer_byte(card, 0);
		break;
	case 9:
	case 10:
		answer_byte(card, state);
		describe(card, number == 10);
		break;
	case 12:
		answer(card, (const uint8_t[]){0xFF, state, 0xFF}, 3);
		break;
	case 13:
		answer(card, (const uint8_t[]){state, 0}, 2);
		if (application)
			answer_data(card, (const uint8_t[64]){0}, 64);
		break;
	case 17:
	case 18:
		if (!has_block(card, argument)) {
			answer_byte(card, state | ADDRESS_ERROR);
			break;
		}
		answer_byte(card, state);
		answer_data(card, card->bytes + (size_t)argument * BLOCK, BLOCK);
		card->block = argument + 1;
		card->reads_on = number == 18;
		break;
	case 24:
	case 25:
		if (!has_block(card, argument)) {
			answer_byte(card, state | ADDRESS_ERROR);
			break;
		}
		answer_byte(card, state);
		card->block = argument;
		card->writes = number == 24 ? ONE_BLOCK : MANY_BLOCKS;
		card->taking = false;
		break;
	case 58:
		answer(card, (const uint8_t[]){state, card->idle ? 0x40 : 0xC0, 0xFF, 0x80, 0}, 5);
		break;
	case 16:
	case 23:
	case 32:
	case 33:
	case 38:
	case 42:
	case 55:
	case 59:
		answer_byte(card, state);
		break;
	case 51:
		answer_byte(card, state);
		answer_data(card, (const uint8_t[8]){0x02, 0x35, 0x80, 0x03}, 8);
		break;
	default:
		answer_byte(card, state | ILLEGAL);
	}
}

// Bytes of a block that is written.
static void take_block(struct card *card, uint8_t byte)
{
	if (!card->taking) {
		card->taken = 0;
		card->taking = byte == TOKEN || byte == TOKEN_MANY;
		if (byte == TOKEN_STOP)
			card->writes = NOT_WRITING;
		return;
	}
	card->data[card->taken++] = byte;
	if (card->taken < sizeof card->data)
		return;
	card->taking = false;
	card->answer_size = card->answer_at = 0;
	if (has_block(card, card->block)) {
		memcpy(card->bytes + (size_t)card->block * BLOCK, card->data, BLOCK);
		answer(card, (const uint8_t[]){ACCEPTED, 0x00}, 2); // busy for a moment
	} else
		answer_byte(card, 0x0D);
	card->block++;
	if (card->writes == ONE_BLOCK)
		card->writes = NOT_WRITING;
}

uint8_t card_exchange(struct card *card, uint8_t byte)
{
	uint8_t out = 0xFF;
	if (card->answer_at == card->answer_size && card->reads_on && has_block(card, card->block)) {
		card->answer_size = card->answer_at = 0;
		answer_data(card, card->bytes + (size_t)card->block++ * BLOCK, BLOCK);
	}
	if (card->answer_at < card->answer_size)
		out = card->answer[card->answer_at++];
	const bool command = card->have > 0 || (byte & 0xC0) == 0x40;
	if (card->writes != NOT_WRITING && (card->taking || (card->have == 0 && !command)))
		take_block(card, byte);
	else if (command) {
		card->command[card->have++] = byte;
		if (card->have == sizeof card->command) {
			card->have = 0;
			obey(card);
		}
	}
	return out;
}

void card_release(struct card *card)
{
	card->have = 0;
	card->reads_on = false;
	card->answer_size = card->answer_at = 0;
}
