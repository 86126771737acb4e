// AES: blocks of 128 bits by keys of 128, 192 or 256 bits.
//
// A block enters and leaves as four words, the one with the last bytes first, each with its first byte on top; the key
// lies in the key registers in the same order. Facts: the vendor's register headers and drivers; FIPS 197.
#include "firmware/soc.h"

#include <string.h>

#define CONTROL 0x00
#define STATUS 0x04
#define FLAGS 0x08
#define ENABLES 0x0C
#define FIFO 0x10
#define START_AND_FLUSH (7u << 3)
#define INPUT_FLUSH (1u << 4)
#define OUTPUT_FLUSH (1u << 5)
#define DECRYPTS (3u << 8)
#define DONE (1u << 0)
#define KEYS 0x40007800u
#define WORDS 4u
#define BLOCK 16u
#define MOST_ROUNDS 14u

static const struct peripheral_register registers[] = {
	{0x00, true, "CTRL", 0, 0, 0, START_AND_FLUSH},
	{0x04, true, "STATUS", 0, UINT32_MAX},
	{0x08, true, "INTFL", 0, 0, UINT32_MAX},
	{0x0c, true, "INTEN"},
	{0x10, true, "FIFO"},
};

struct aes {
	uint32_t in[WORDS], out[WORDS];
	unsigned in_count, out_count;
	uint8_t box[256], unbox[256];
};

// ---- the cipher ----

static uint8_t times(uint8_t a, uint8_t b)
{
	uint8_t product = 0;
	for (; b != 0; b >>= 1) {
		if ((b & 1) != 0)
			product ^= a;
		a = (uint8_t)(a << 1 ^ ((a & 0x80) != 0 ? 0x1B : 0));
	}
	return product;
}

static void make_boxes(struct aes *aes)
{
	for (unsigned i = 0; i < 256; i++) {
		uint8_t inverse = i == 0 ? 0 : 1;
		for (unsigned n = 0; n < 254; n++)
			inverse = times(inverse, (uint8_t)i);
		uint8_t value = 0x63;
		for (unsigned shift = 0; shift < 5; shift++)
			value ^= (uint8_t)(inverse << shift | inverse >> (8 - shift));
		aes->box[i] = value;
		aes->unbox[value] = (uint8_t)i;
	}
}

static void expand(const struct aes *aes, const uint8_t *key, unsigned key_words,
                   uint8_t schedule[(MOST_ROUNDS + 1) * BLOCK])
{
	const unsigned words = 4 * (key_words + 7);
	uint8_t constant = 1;
	memcpy(schedule, key, 4 * (size_t)key_words);
	for (unsigned i = key_words; i < words; i++) {
		uint8_t word[4];
		memcpy(word, schedule + 4 * (i - 1), 4);
		if (i % key_words == 0) {
			const uint8_t first = word[0];
			for (unsigned b = 0; b < 4; b++)
				word[b] = aes->box[b < 3 ? word[b + 1] : first];
			word[0] ^= constant;
			constant = times(constant, 2);
		} else if (key_words > 6 && i % key_words == 4)
			for (unsigned b = 0; b < 4; b++)
				word[b] = aes->box[word[b]];
		for (unsigned b = 0; b < 4; b++)
			schedule[4 * i + b] = schedule[4 * (i - key_words) + b] ^ word[b];
	}
}

static void add_key(uint8_t state[BLOCK], const uint8_t *key)
{
	for (unsigned i = 0; i < BLOCK; i++)
		state[i] ^= key[i];
}

// Bytes by a table, rows moved by their number: to the left, or with back to the right.
static void substitute_and_shift(uint8_t state[BLOCK], const uint8_t *box, bool back)
{
	uint8_t moved[BLOCK];
	for (unsigned i = 0; i < BLOCK; i++) {
		const unsigned row = i % 4, column = (i / 4 + (back ? 4 - row : row)) % 4;
		moved[i] = box[state[4 * column + row]];
	}
	memcpy(state, moved, BLOCK);
}

static void mix(uint8_t state[BLOCK], const uint8_t factors[4])
{
	for (unsigned column = 0; column < 4; column++) {
		uint8_t mixed[4] = {0};
		for (unsigned row = 0; row < 4; row++)
			for (unsigned i = 0; i < 4; i++)
				mixed[row] ^= times(state[4 * column + i], factors[(i + 4 - row) % 4]);
		memcpy(state + 4 * column, mixed, 4);
	}
}

static void cipher(const struct aes *aes, const uint8_t *key, unsigned key_words, bool decrypts,
                   uint8_t state[BLOCK])
{
	static const uint8_t forward[4] = {2, 3, 1, 1}, backward[4] = {14, 11, 13, 9};
	const unsigned rounds = key_words + 6;
	uint8_t schedule[(MOST_ROUNDS + 1) * BLOCK];
	expand(aes, key, key_words, schedule);
	add_key(state, schedule + (decrypts ? rounds * BLOCK : 0));
	for (unsigned round = 1; round <= rounds; round++) {
		substitute_and_shift(state, decrypts ? aes->unbox : aes->box, decrypts);
		if (decrypts) {
			add_key(state, schedule + (size_t)(rounds - round) * BLOCK);
			if (round < rounds)
				mix(state, backward);
		} else {
			if (round < rounds)
				mix(state, forward);
			add_key(state, schedule + (size_t)round * BLOCK);
		}
	}
}

// ---- the block ----

static void put_word(uint8_t *bytes, uint32_t word)
{
	for (unsigned b = 0; b < 4; b++)
		bytes[b] = (uint8_t)(word >> (24 - 8 * b));
}

static void run(struct ai8x_firmware *soc, const struct peripheral *row)
{
	struct aes *aes = soc_state(soc, row);
	const uint32_t control = *soc_word(soc, row->base + CONTROL);
	const unsigned size = control >> 6 & 3, key_words = size == 0 ? 4 : size == 1 ? 6 : 8;
	uint8_t key[32], state[BLOCK];
	for (unsigned i = 0; i < key_words; i++)
		put_word(key + 4 * i, *soc_word(soc, KEYS + 4 * (key_words - 1 - i)));
	for (unsigned i = 0; i < WORDS; i++)
		put_word(state + 4 * i, aes->in[WORDS - 1 - i]);
	cipher(aes, key, key_words, (control & DECRYPTS) != 0, state);
	for (unsigned i = 0; i < WORDS; i++) {
		const uint8_t *bytes = state + 4 * (WORDS - 1 - i);
		aes->out[i] =
			(uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
	}
	aes->in_count = 0;
	aes->out_count = WORDS;
	*soc_word(soc, row->base + FLAGS) |= DONE;
}

static uint32_t load(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset)
{
	struct aes *aes = soc_state(soc, row);
	if (offset == STATUS)
		return (uint32_t)(aes->in_count == 0) << 1 | (uint32_t)(aes->out_count == 0) << 3 |
		       (uint32_t)(aes->out_count == WORDS) << 4;
	if (offset != FIFO || aes->out_count == 0)
		return peripheral_load(soc, row, offset);
	return aes->out[WORDS - aes->out_count--];
}

static void store(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset, uint32_t value)
{
	struct aes *aes = soc_state(soc, row);
	peripheral_store(soc, row, offset, value);
	if (offset == CONTROL && (value & INPUT_FLUSH) != 0)
		aes->in_count = 0;
	if (offset == CONTROL && (value & OUTPUT_FLUSH) != 0)
		aes->out_count = 0;
	if (offset == FIFO) {
		aes->in[aes->in_count++] = value;
		if (aes->in_count == WORDS)
			run(soc, row);
	}
	nvic_line(soc, row->irq, (*soc_word(soc, row->base + FLAGS) & *soc_word(soc, row->base + ENABLES)) != 0);
}

static void reset(struct ai8x_firmware *soc, const struct peripheral *row)
{
	make_boxes(soc_state(soc, row));
}

static uint32_t ready(const struct ai8x_firmware *soc, const struct peripheral *row, bool transmits)
{
	const struct aes *aes = soc_state(soc, row);
	if (transmits)
		return aes->out_count == 0 ? 4 * (WORDS - aes->in_count) : 0;
	return 4 * aes->out_count;
}

const struct peripheral_block aes_block = {
	REGISTERS(registers), .state_bytes = sizeof(struct aes),
	.fifo = FIFO,         .read = load,
	.write = store,       .reset = reset,
	.ready = ready,
};
