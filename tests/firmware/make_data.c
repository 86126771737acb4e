// Makes the C tables that the test firmware carries from a recorded program.
//
// usage: make_data [-x] PROGRAM OUTPUT.h [ADDRESS BIT]
//
// -x packs kernels that the program writes plainly (four words of address each) into express streams.
// Set-up writes become blocks of words at ascending addresses, as generated code has them; a block before
// which the weight address is set by a byte write is marked. With ADDRESS and BIT one bit of the word written
// there is inverted: firmware with a seeded fault.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ai8xsim/ai8xsim.h>

#define MARK_BYTE 0x80000000u
#define MARK_WAIT 0x40000000u
#define CONTROL_EXPRESS (1u << 20)

struct writer {
	FILE *file;
	const ai8x_op *ops;
	size_t count;
	uint32_t fault_address;
	unsigned fault_bit;
	bool faulty;
	const ai8x_part *part;
	bool express;
};

// Length of the block that starts at op i.
static size_t block_length(const struct writer *w, size_t i, size_t end)
{
	size_t n = 1;
	while (i + n < end && w->ops[i + n].kind == AI8X_BUS_WRITE32 &&
	       w->ops[i + n].address == w->ops[i].address + 4 * (uint32_t)n)
		n++;
	return n;
}

static void write_words(struct writer *w, size_t i, size_t n)
{
	for (size_t k = 0; k < n; k++) {
		uint32_t value = w->ops[i + k].value;
		ai8x_location at;
		if (w->express && ai8x_part_locate(w->part, w->ops[i + k].address, &at) == AI8X_OK &&
		    at.name != NULL && strcmp(at.name, "CTL") == 0)
			value |= CONTROL_EXPRESS;
		if (w->fault_address != 0 && w->ops[i + k].address == w->fault_address) {
			value ^= 1u << w->fault_bit;
			w->faulty = true;
		}
		(void)fprintf(w->file, "%s0x%08x,", k % 8 == 0 ? "\n\t" : " ", value);
	}
	(void)fputc('\n', w->file);
}

static bool is_kernel(const struct writer *w, size_t i, ai8x_location *location)
{
	return w->ops[i].kind == AI8X_BUS_WRITE32 &&
	       ai8x_part_locate(w->part, w->ops[i].address, location) == AI8X_OK && location->name == NULL &&
	       strncmp(location->region, "kernel", 6) == 0;
}

// Bytes k0..k8 of a kernel word that is written plainly (hardware reference 2.1).
static void kernel_bytes(const ai8x_op *op, uint8_t bytes[9])
{
	bytes[0] = (uint8_t)op[0].value;
	for (unsigned i = 0; i < 4; i++) {
		bytes[1 + i] = (uint8_t)(op[1].value >> (24 - 8 * i));
		bytes[5 + i] = (uint8_t)(op[2].value >> (24 - 8 * i));
	}
}

// One express block of the plain kernel words from op i on; returns the ops it took.
static size_t write_express(struct writer *w, size_t i, size_t end)
{
	ai8x_location first;
	if (!is_kernel(w, i, &first))
		return 0;
	size_t words = block_length(w, i, end) / 4;
	uint32_t base = w->ops[i].address - 16 * first.word;
	(void)fprintf(w->file, "\t0x%08x, 0x%08zx,", base + 4 * first.word, MARK_BYTE | (9 * words + 3) / 4);
	uint32_t packed = 0;
	for (size_t b = 0; b < (9 * words + 3) / 4 * 4; b++) {
		uint8_t bytes[9];
		kernel_bytes(&w->ops[i + 4 * (b / 9 < words ? b / 9 : words - 1)], bytes);
		packed = packed << 8 | (b / 9 < words ? bytes[b % 9] : 0u);
		if (b % 4 == 3)
			(void)fprintf(w->file, "%s0x%08x,", b % 32 == 3 ? "\n\t" : " ", packed);
	}
	(void)fputc('\n', w->file);
	return 4 * words;
}

static void write_setup(struct writer *w, size_t end)
{
	(void)fputs("static const uint32_t setup[] = {\n", w->file);
	for (size_t i = 0; i < end;) {
		const ai8x_op *op = &w->ops[i];
		size_t taken = w->express ? write_express(w, i, end) : 0;
		if (taken > 0) {
			i += taken;
		} else if (op->kind == AI8X_BUS_WAIT) {
			(void)fprintf(w->file, "\t0x%08x, 0x%08x, 0x%08x, 0x%08x,\n", op->address, MARK_WAIT | 2,
			              op->mask, op->value);
			i++;
		} else if (op->kind == AI8X_BUS_WRITE8) {
			bool packed = i + 1 < end && w->ops[i + 1].kind == AI8X_BUS_WRITE32;
			size_t n = packed ? block_length(w, i + 1, end) : 0;
			(void)fprintf(w->file, "\t0x%08x, 0x%08zx,", op->address & ~3u, MARK_BYTE | n);
			write_words(w, i + 1, n);
			i += 1 + n;
		} else if (op->kind == AI8X_BUS_WRITE32) {
			size_t n = block_length(w, i, end);
			(void)fprintf(w->file, "\t0x%08x, 0x%08zx,", op->address, n);
			write_words(w, i, n);
			i += n;
		} else {
			i++;
		}
	}
	(void)fputs("\t0,\n};\n\n", w->file);
}

static bool write_tables(struct writer *w, const char *part)
{
	size_t run = 0, feed = 0;
	while (run < w->count && w->ops[run].kind != AI8X_BUS_RUN)
		run++;
	for (feed = 0; feed < run && w->ops[feed].kind != AI8X_BUS_FIFO_WRITE32;)
		feed++;
	if (run == w->count || feed == 0)
		return false;
	size_t start = feed - 1;
	(void)fprintf(w->file,
	              "// Made by make_data; do not edit.\n#define TEST_PART \"%s\"\n#define TEST_START 0x%08xu\n"
	              "#define TEST_START_VALUE 0x%08xu\n\n",
	              part, w->ops[start].address, w->ops[start].value);
	write_setup(w, start);
	(void)fputs("static const uint32_t feed[] = {\n", w->file);
	for (size_t i = feed; i < run; i++)
		if (w->ops[i].kind == AI8X_BUS_FIFO_WRITE32)
			(void)fprintf(w->file, "\t0x%08x, 0x%08x,\n", w->ops[i].address, w->ops[i].value);
	(void)fputs("\t0,\n};\n\nstatic const uint32_t expected[] = {\n", w->file);
	for (size_t i = run; i < w->count; i++)
		if (w->ops[i].kind == AI8X_BUS_EXPECT)
			(void)fprintf(w->file, "\t0x%08x, 0x%08x, 0x%08x,\n", w->ops[i].address, w->ops[i].mask,
			              w->ops[i].value);
	(void)fputs("\t0,\n};\n", w->file);
	return ferror(w->file) == 0;
}

int main(int argc, char **argv)
{
	bool express = argc > 1 && strcmp(argv[1], "-x") == 0;
	argc -= express;
	argv += express;
	if (argc != 3 && argc != 5) {
		(void)fputs("usage: make_data [-x] PROGRAM OUTPUT.h [ADDRESS BIT]\n", stderr);
		return 2;
	}
	ai8x_program *program = NULL;
	ai8x_error error = {0};
	if (ai8x_program_open(argv[1], NULL, &program, &error) != AI8X_OK) {
		(void)fprintf(stderr, "%s\n", error.message);
		return 1;
	}
	struct writer w = {.file = fopen(argv[2], "w"), .part = ai8x_program_part(program), .express = express};
	if (argc == 5) {
		w.fault_address = (uint32_t)strtoul(argv[3], NULL, 0);
		w.fault_bit = (unsigned)strtoul(argv[4], NULL, 10) % 32;
	}
	w.ops = ai8x_program_ops(program, &w.count);
	bool done = w.file != NULL && write_tables(&w, ai8x_part_get_info(w.part)->name);
	if (w.file != NULL && fclose(w.file) != 0)
		done = false;
	if (done && argc == 5 && !w.faulty) {
		(void)fprintf(stderr, "%s: nothing is written to %s\n", argv[1], argv[3]);
		done = false;
	} else if (!done)
		(void)fprintf(stderr, "%s: cannot be made into tables\n", argv[2]);
	ai8x_program_destroy(program);
	return done ? 0 : 1;
}
