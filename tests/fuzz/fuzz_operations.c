// Fuzzes what a program may tell the machine, without the container: the first byte chooses the part, then 13 bytes are
// an operation (kind, address, value, mask). The mutator changes operations, not bytes, and keeps addresses where there
// is something. Whatever comes out must run on both engines and go through `check` to an end, and tell one story.
#include <string.h>

#include <ai8xsim/ai8xsim.h>

#include "fuzz.h"

enum { OP_BYTES = 13, MOST_OPS = 4000, MOST_CYCLES = 50000 };

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);

static uint32_t word_at(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static void put_word(uint8_t *bytes, uint32_t word)
{
	for (unsigned i = 0; i < 4; i++)
		bytes[i] = (uint8_t)(word >> (8 * i));
}

static uint32_t draw(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

// Another value for a register: a bit, a step, an extreme, that of another operation.
static uint32_t other_value(uint32_t value, uint32_t elsewhere, uint32_t *state)
{
	static const uint32_t extremes[] = {0, 1, 0xffffffff, 0x7fffffff, 0x80000000, 0xffff, 0x10000, 0x3f};
	switch (draw(state) % 5) {
	case 0:
		return value ^ 1u << draw(state) % 32;
	case 1:
		return value + 1u - draw(state) % 3;
	case 2:
		return extremes[draw(state) % (sizeof extremes / sizeof extremes[0])];
	case 3:
		return elsewhere;
	default:
		return draw(state) << 16 ^ draw(state);
	}
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed)
{
	uint32_t state = seed * 2654435761u + 1;
	size_t ops = size > 1 ? (size - 1) / OP_BYTES : 0;
	if (ops == 0 || draw(&state) % 16 == 0)
		return LLVMFuzzerMutate(data, size, most);
	for (unsigned i = draw(&state) % 8 + 1; i > 0; i--) {
		uint8_t *op = data + 1 + draw(&state) % ops * OP_BYTES,
				*other = data + 1 + draw(&state) % ops * OP_BYTES;
		switch (draw(&state) % 8) {
		case 0: // elsewhere: the next register, the next group, the place of another operation
			put_word(op + 1,
			         draw(&state) % 2 == 0 ? word_at(op + 1) ^ 4u << draw(&state) % 22 : word_at(other + 1));
			break;
		case 1:
			op[0] = (uint8_t)(draw(&state) % AI8X_BUS_KINDS);
			break;
		case 2: // repeat
			memmove(op, other, OP_BYTES);
			break;
		case 3: // leave out
			if (ops > 1) {
				memmove(op, op + OP_BYTES, (size_t)(data + 1 + ops * OP_BYTES - op - OP_BYTES));
				ops--;
			}
			break;
		case 4: // another order
			for (unsigned k = 0; k < OP_BYTES; k++) {
				const uint8_t byte = op[k];
				op[k] = other[k];
				other[k] = byte;
			}
			break;
		default:
			put_word(op + 5, other_value(word_at(op + 5), word_at(other + 5), &state));
			break;
		}
	}
	return 1 + ops * OP_BYTES;
}

static ai8x_program *make_program(const ai8x_part *part, const uint8_t *data, size_t size)
{
	ai8x_program *program = NULL;
	require(ai8x_program_create(part, "fuzz", &program, NULL) == AI8X_OK, "an empty program");
	for (size_t at = 0; at + OP_BYTES <= size && at < (size_t)MOST_OPS * OP_BYTES; at += OP_BYTES) {
		const ai8x_op op = {.kind = data[at] % AI8X_BUS_KINDS,
		                    .address = word_at(data + at + 1),
		                    .value = word_at(data + at + 5),
		                    .mask = word_at(data + at + 9)};
		ai8x_error error = {AI8X_OK, ""};
		require(ai8x_program_append(program, op, &error) == AI8X_OK || error.message[0] != '\0',
		        "an operation is taken, or an error says why not");
	}
	return program;
}

static ai8x_status run(const ai8x_part *part, const ai8x_program *program, ai8x_engine engine,
                       uint64_t *cycles)
{
	ai8x_machine_options options = ai8x_machine_options_default();
	ai8x_runner_options runner = ai8x_runner_options_default();
	ai8x_runner_result result = {0};
	ai8x_machine *machine = NULL;
	options.engine = engine;
	runner.max_cycles = MOST_CYCLES;
	require(ai8x_machine_create(part, &options, &machine, NULL) == AI8X_OK, "a machine");
	const ai8x_status status = ai8x_runner_run(machine, program, &runner, &result);
	require(status == AI8X_OK || result.message[0] != '\0', "a stop says why");
	*cycles = result.cycles;
	ai8x_runner_result_release(&result);
	ai8x_machine_destroy(machine);
	return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	const ai8x_part *part = ai8x_part_at(data[0] % ai8x_part_count());
	ai8x_program *program = make_program(part, data + 1, size - 1);
	uint64_t exact = 0, fast = 0;
	const ai8x_status first = run(part, program, AI8X_ENGINE_EXACT, &exact);
	require(run(part, program, AI8X_ENGINE_FAST, &fast) == first, "the engines end in the same way");
	require(exact == fast, "and after the same time");
	const ai8x_check_options options = {.max_cycles = MOST_CYCLES};
	ai8x_check *check = NULL;
	ai8x_error error = {AI8X_OK, ""};
	const ai8x_status status = ai8x_check_program(program, &options, &check, &error);
	require(status == AI8X_OK || error.message[0] != '\0', "check says what it cannot do");
	ai8x_check_destroy(check);
	ai8x_program_destroy(program);
	return 0;
}
