// Judges one trial: place, compute with the golden model, compile, run with the exact engine and with every kernel of
// the fast one, and compare whatever two of them both know.
#include "trial.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "draw.h"
#include "fast/variants.h"
#include "golden.h"
#include "layer/encode.h"
#include "machine/machine.h"

// Descriptions are written and read again for one in so many networks: that goes through files.
#define DESCRIPTION_EVERY 4
// As well for networks in which a layer overwrites what it reads.
#define OVERLAP_EVERY 3

const char *outcome_name(enum outcome outcome)
{
	static const char *const names[OUTCOME_KINDS] = {
		[OUTCOME_PASS] = "pass",
		[OUTCOME_REFUSED] = "refused",
		[OUTCOME_SENSELESS] = "senseless",
		[OUTCOME_REFUSAL] = "refusal without a reason",
		[OUTCOME_GOLDEN] = "golden model failed",
		[OUTCOME_COMPILE] = "compiler failed",
		[OUTCOME_REGISTERS] = "registers do not survive decoding",
		[OUTCOME_DESCRIPTION] = "description does not survive writing",
		[OUTCOME_RUN] = "run failed",
		[OUTCOME_VALUES] = "exact engine and golden model differ",
		[OUTCOME_FAST] = "fast and exact engine differ",
		[OUTCOME_TIME] = "closed form and exact engine differ",
	};
	return names[outcome];
}

static void decide(struct verdict *verdict, enum outcome outcome, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void decide(struct verdict *verdict, enum outcome outcome, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	verdict->outcome = outcome;
	(void)vsnprintf(verdict->text, sizeof verdict->text, format, arguments);
	va_end(arguments);
}

ai8x_status judge_prepare(struct judge *judge, ai8x_error *error)
{
	judge->before = malloc(sizeof *judge->before);
	judge->after = malloc(sizeof *judge->after);
	if (judge->before == NULL || judge->after == NULL) {
		(void)snprintf(error->message, sizeof error->message, "no memory for registers");
		return AI8X_ERR_NO_MEMORY;
	}
	for (size_t i = 0; fast_kernels[i] != NULL; i++) {
		if (!fast_kernels[i]->supported())
			continue;
		if (judge->kernel_count == TRIAL_MAX_KERNELS) {
			(void)snprintf(error->message, sizeof error->message, "more than %d kinds of kernels",
			               TRIAL_MAX_KERNELS);
			return AI8X_ERR_LIMIT;
		}
		judge->kernels[judge->kernel_count++] = fast_kernels[i]->name;
	}
	return AI8X_OK;
}

void judge_release(struct judge *judge)
{
	free(judge->before);
	free(judge->after);
	judge->before = judge->after = NULL;
}

void trial_products_release(struct trial_products *products)
{
	ai8x_network_destroy(products->network);
	ai8x_program_destroy(products->program);
	*products = (struct trial_products){0};
}

// --- Values ---------------------------------------------------------------------------------------------

static bool has_weights(const ai8x_network_layer *layer)
{
	return layer->operation != AI8X_OP_PASSTHROUGH && !layer->bypass;
}

static int8_t draw_value(struct draw *draw, enum trial_values values, int bits)
{
	int greatest = bits == -1 ? 1 : (1 << (bits - 1)) - 1;
	int least = bits == -1 ? -1 : -greatest - 1;
	if (bits == -1 || values == VALUES_EXTREME)
		return (int8_t)(draw_chance(draw, 50) ? least : greatest);
	int value = (int)draw_between(draw, 0, 6) - 3;
	value = value > greatest ? greatest : value;
	return (int8_t)(value < least ? least : value);
}

static bool fill(int8_t **values, size_t count, struct draw *draw, enum trial_values kind, int bits)
{
	*values = malloc(count > 0 ? count : 1);
	for (size_t i = 0; *values != NULL && i < count; i++)
		(*values)[i] = draw_value(draw, kind, bits);
	return *values != NULL;
}

// Weights, biases and input of a resolved network; uniform ones are left to ai8x_network_randomise().
static bool fill_network(const struct trial *trial, ai8x_network *network)
{
	struct draw draw = draw_seed(trial->number, trial->attempt, 2);
	bool done = true;
	if (trial->values == VALUES_UNIFORM)
		return true;
	for (size_t i = 0; done && i < network->layer_count; i++) {
		ai8x_network_layer *layer = &network->layers[i];
		if (!has_weights(layer) || layer->weight_source >= 0)
			continue;
		layer->weight_count =
			(size_t)layer->out_channels * layer->fan_channels * layer->kernel_rows * layer->kernel_columns;
		done = fill(&layer->weights, layer->weight_count, &draw, trial->values, layer->weight_bits);
		if (done && layer->bias_wanted)
			done = fill(&layer->bias, layer->out_channels, &draw, trial->values, 8);
	}
	const uint32_t *shape = network->input_shape;
	return done && fill(&network->input, (size_t)shape[0] * shape[1] * shape[2], &draw, trial->values, 8);
}

// --- Registers ------------------------------------------------------------------------------------------

// The registers that a program leaves behind, and the groups that it uses.
static void load_registers(const ai8x_program *program, struct registers *registers, struct layer_run *run)
{
	size_t count = 0;
	const ai8x_op *ops = ai8x_program_ops(program, &count);
	registers_reset(registers, ai8x_program_part(program));
	*run = (struct layer_run){0, AI8X_GROUPS};
	for (size_t i = 0; i < count; i++) {
		struct part_target target;
		if (ops[i].kind != AI8X_BUS_WRITE32 ||
		    !part_decode_address(registers->part, ops[i].address, &target) || !target.is_register)
			continue;
		registers->value[target.group][target.reg][target.index] = ops[i].value;
		if (target.reg == REG_CTL) {
			run->groups |= 1u << target.group;
			run->master = target.group < run->master ? target.group : run->master;
		}
	}
}

static bool is_configured(const struct registers *registers, unsigned group, uint32_t index)
{
	return register_get(registers, REG_LCTL, group, index) != 0;
}

static bool belongs_to_layer(const ai8x_part *part, unsigned reg, uint32_t index)
{
	const struct part_register_row *row = &part->registers[reg];
	return row->scope == SCOPE_LAYER || (row->scope == SCOPE_STREAM && index < row->count);
}

static bool layer_survives(struct judge *judge, const struct layer_run *run, uint32_t index,
                           struct verdict *verdict)
{
	ai8x_layer layer;
	ai8x_error error = {AI8X_OK, ""};
	struct layer_run configured = *run;
	for (unsigned g = 0; g < AI8X_GROUPS; g++)
		if (!is_configured(judge->before, g, index))
			configured.groups &= ~(1u << g);
	registers_reset(judge->after, judge->before->part);
	if (layer_decode(judge->before, &configured, index, &layer, &error) != AI8X_OK ||
	    layer_encode(&layer, judge->after, &error) != AI8X_OK) {
		decide(verdict, OUTCOME_REGISTERS, "%s", error.message);
		return false;
	}
	for (unsigned g = 0; g < AI8X_GROUPS; g++) {
		for (unsigned reg = 0; (configured.groups >> g & 1) != 0 && reg < REG_COUNT; reg++) {
			uint32_t before = register_get(judge->before, (enum part_register)reg, g, index);
			uint32_t after = register_get(judge->after, (enum part_register)reg, g, index);
			if (belongs_to_layer(judge->before->part, reg, index) && before != after) {
				decide(verdict, OUTCOME_REGISTERS,
				       "register set %u, group %u, %s: was 0x%08" PRIx32 ", came back 0x%08" PRIx32, index, g,
				       part_register_name((enum part_register)reg), before, after);
				return false;
			}
		}
	}
	return true;
}

static bool registers_survive(struct judge *judge, const ai8x_program *program, struct verdict *verdict)
{
	struct layer_run run;
	load_registers(program, judge->before, &run);
	for (uint32_t index = 0; index < judge->before->part->info.layers; index++)
		if (is_configured(judge->before, run.master, index) && !layer_survives(judge, &run, index, verdict))
			return false;
	return true;
}

// --- Description ----------------------------------------------------------------------------------------

static bool copy_values(int8_t **to, const int8_t *from, size_t count)
{
	if (from == NULL)
		return true;
	free(*to);
	*to = malloc(count > 0 ? count : 1);
	if (*to != NULL)
		memcpy(*to, from, count);
	return *to != NULL;
}

static bool take_values(ai8x_network *to, const ai8x_network *from)
{
	const uint32_t *shape = from->input_shape;
	bool done = memcmp(to->input_shape, shape, sizeof to->input_shape) == 0 &&
	            copy_values(&to->input, from->input, (size_t)shape[0] * shape[1] * shape[2]);
	for (size_t i = 0; done && i < from->layer_count; i++) {
		to->layers[i].weight_count = from->layers[i].weight_count;
		done = copy_values(&to->layers[i].weights, from->layers[i].weights, from->layers[i].weight_count) &&
		       copy_values(&to->layers[i].bias, from->layers[i].bias, from->layers[i].out_channels);
	}
	return done;
}

// YAML has one number for both directions.
static bool can_be_written(const ai8x_network *network)
{
	for (size_t i = 0; i < network->layer_count; i++) {
		const ai8x_network_layer *layer = &network->layers[i];
		bool image = layer->operation == AI8X_OP_CONV2D || layer->operation == AI8X_OP_CONVT2D;
		if (image && layer->pad_rows != layer->pad_columns)
			return false;
	}
	return true;
}

static bool same_operations(const ai8x_program *a, const ai8x_program *b, struct verdict *verdict)
{
	size_t count = 0;
	size_t other = 0;
	const ai8x_op *x = ai8x_program_ops(a, &count);
	const ai8x_op *y = ai8x_program_ops(b, &other);
	for (size_t i = 0; i < count && i < other; i++) {
		if (x[i].kind != y[i].kind || x[i].address != y[i].address || x[i].value != y[i].value ||
		    x[i].mask != y[i].mask) {
			decide(verdict, OUTCOME_DESCRIPTION,
			       "operation %zu is %s 0x%08" PRIx32 " 0x%08" PRIx32
			       ", before writing it was %s 0x%08" PRIx32 " 0x%08" PRIx32,
			       i, ai8x_op_kind_name(y[i].kind), y[i].address, y[i].value, ai8x_op_kind_name(x[i].kind),
			       x[i].address, x[i].value);
			return false;
		}
	}
	if (count != other)
		decide(verdict, OUTCOME_DESCRIPTION, "%zu operations, before writing there were %zu", other, count);
	return count == other;
}

// The description as written out, read again, with the same weights, is the same program.
static bool description_survives(const struct judge *judge, const struct trial *trial,
                                 const ai8x_network *network, const ai8x_compile_options *options,
                                 const ai8x_program *program, struct verdict *verdict)
{
	char path[512];
	ai8x_error error = {AI8X_OK, ""};
	ai8x_network *again = NULL;
	ai8x_program *compiled = NULL;
	if (trial->number / 2 % DESCRIPTION_EVERY != 0 || !can_be_written(network))
		return true;
	(void)snprintf(path, sizeof path, "%s/thread%u.yaml", judge->folder, judge->thread);
	bool same = ai8x_network_write_yaml(network, path, &error) == AI8X_OK &&
	            ai8x_network_open(path, NULL, &again, &error) == AI8X_OK;
	if (same && (again->layer_count != network->layer_count || !take_values(again, network))) {
		(void)snprintf(error.message, sizeof error.message,
		               "layers or input shape differ from those written");
		same = false;
	}
	same = same && ai8x_network_compile(again, trial->part, options, &compiled, &error) == AI8X_OK;
	if (!same)
		decide(verdict, OUTCOME_DESCRIPTION, "%s", error.message);
	else
		same = same_operations(program, compiled, verdict);
	ai8x_program_destroy(compiled);
	ai8x_network_destroy(again);
	return same;
}

// --- Runs -----------------------------------------------------------------------------------------------

struct run_made {
	const char *name;
	ai8x_machine *machine;
	ai8x_runner_result result;
};

static void run_release(struct run_made *run)
{
	ai8x_runner_result_release(&run->result);
	ai8x_machine_destroy(run->machine);
	run->machine = NULL;
}

static void describe_mismatch(const struct run_made *run, char *text, size_t size)
{
	const ai8x_runner_result *result = &run->result;
	const ai8x_mismatch *chosen = result->mismatch_count > 0 ? &result->mismatch[0] : NULL;
	for (size_t i = 0; i < result->mismatch_count; i++) {
		if (result->mismatch[i].tensor) {
			chosen = &result->mismatch[i];
			break;
		}
	}
	if (chosen == NULL) {
		(void)snprintf(text, size, "%s: %s", run->name, result->message);
		return;
	}
	(void)snprintf(
		text, size,
		"%s: layer %d, channel %d, row %d, column %d: expected %" PRId32 " (0x%08" PRIx32 "), got %" PRId32
		" (0x%08" PRIx32 ") at 0x%08" PRIx32 "; %" PRIu64 " of %" PRIu64 " checks differ%s%s",
		run->name, chosen->layer, chosen->channel, chosen->row, chosen->column, (int32_t)chosen->expected,
		chosen->expected, (int32_t)chosen->got, chosen->got, chosen->address, result->mismatches,
		result->checks, result->message[0] != '\0' ? "; " : "", result->message);
}

// A run that compared less than it should proves nothing.
static bool everything_was_compared(const ai8x_program *program, const struct run_made *run,
                                    struct verdict *verdict, enum outcome outcome)
{
	for (size_t i = 0; i < ai8x_program_layer_count(program); i++) {
		const ai8x_program_layer *layer = ai8x_program_layer_at(program, i);
		uint64_t values = (uint64_t)layer->shape[0] * layer->shape[1] * layer->shape[2];
		const ai8x_runner_layer *found = NULL;
		for (size_t k = 0; k < run->result.layer_count; k++)
			if (run->result.layers[k].recorded && run->result.layers[k].number == layer->number)
				found = &run->result.layers[k];
		if (found == NULL || !found->finished || values == 0 ||
		    found->checks != values + layer->memory_count) {
			decide(verdict, outcome,
			       "%s: layer %u has %" PRIu64 " values and %zu words, %" PRIu64 " were compared", run->name,
			       layer->number, values, layer->memory_count, found == NULL ? 0 : found->checks);
			return false;
		}
	}
	return true;
}

// Runs a program; false: it could not be run, which the verdict tells.
static bool start_run(const struct trial *trial, const ai8x_program *program, const char *kernel,
                      struct run_made *run, struct verdict *verdict)
{
	ai8x_machine_options settings = ai8x_machine_options_default();
	ai8x_error error = {AI8X_OK, ""};
	settings.engine = kernel == NULL ? AI8X_ENGINE_EXACT : AI8X_ENGINE_FAST;
	settings.cpu = kernel;
	settings.capture_outputs = true;
	run->name = kernel == NULL ? "exact" : kernel;
	if (ai8x_machine_create(trial->part, &settings, &run->machine, &error) != AI8X_OK) {
		decide(verdict, OUTCOME_RUN, "%s", error.message);
		return false;
	}
	// Layers of these networks are too small for several threads: some get them all the same.
	if (trial->number % 4 == 0) {
		run->machine->fast.scratch.threads = TRIAL_THREADS;
		run->machine->fast.scratch.share = 1;
	}
	ai8x_runner_options options = ai8x_runner_options_default();
	options.per_layer = true;
	options.fifo_write_cycles = trial->pace;
	if (ai8x_runner_run(run->machine, program, &options, &run->result) != AI8X_OK) {
		decide(verdict, OUTCOME_RUN, "%s: %s", run->name, run->result.message);
		return false;
	}
	return true;
}

static bool carry_out(const struct trial *trial, const ai8x_program *program, const char *kernel,
                      struct run_made *run, struct verdict *verdict)
{
	enum outcome outcome = kernel == NULL ? OUTCOME_VALUES : OUTCOME_FAST;
	if (!start_run(trial, program, kernel, run, verdict))
		return false;
	if (!run->result.pass) {
		verdict->outcome = outcome;
		describe_mismatch(run, verdict->text, sizeof verdict->text);
		return false;
	}
	return everything_was_compared(program, run, verdict, outcome);
}

// --- Fast against exact ---------------------------------------------------------------------------------

static bool same_counters(const ai8x_counters *a, const ai8x_counters *b, const char **what)
{
	for (unsigned s = 0; s < AI8X_STATE_COUNT; s++) {
		if (a->state[s] != b->state[s]) {
			*what = ai8x_state_name((ai8x_state)s);
			return false;
		}
	}
	*what = a->pass_cycles != b->pass_cycles       ? "cycles of later passes"
	        : a->words_read != b->words_read       ? "words read"
	        : a->words_written != b->words_written ? "words written"
	        : a->outputs != b->outputs             ? "outputs"
	                                               : NULL;
	return *what == NULL;
}

static bool same_layer(const ai8x_layer_report *a, const ai8x_layer_report *b, const char *name,
                       struct verdict *verdict)
{
	const char *what = NULL;
	bool same = same_counters(&a->counters, &b->counters, &what);
	if (same &&
	    (a->cycles != b->cycles || a->start_cycle != b->start_cycle || a->layer.index != b->layer.index)) {
		what = "cycles, start or order";
		same = false;
	}
	size_t values =
		(size_t)ai8x_layer_output_slots(&a->layer) * a->layer.output_rows * a->layer.output_columns;
	if (same && (a->output == NULL || b->output == NULL ||
	             memcmp(a->output, b->output, values * sizeof *a->output) != 0)) {
		what = "output slots";
		same = false;
	}
	if (same && (a->word_count != b->word_count ||
	             (a->word_count > 0 && memcmp(a->words, b->words, a->word_count * sizeof *a->words) != 0))) {
		what = "words written by the layer";
		same = false;
	}
	if (!same)
		decide(verdict, OUTCOME_FAST,
		       "%s, register set %u: %s differ (%" PRIu64 " cycles, exact %" PRIu64 ")", name, a->layer.index,
		       what, b->cycles, a->cycles);
	return same;
}

static bool same_memory(const struct run_made *exact, const struct run_made *fast, struct verdict *verdict)
{
	for (unsigned i = 0; i < AI8X_INSTANCES; i++) {
		size_t words = 0;
		const uint32_t *a = ai8x_machine_data(exact->machine, i, &words);
		const uint32_t *b = ai8x_machine_data(fast->machine, i, &words);
		if (memcmp(a, b, words * sizeof *a) == 0)
			continue;
		size_t w = 0;
		while (a[w] == b[w])
			w++;
		decide(verdict, OUTCOME_FAST,
		       "%s: word %zu of data memory instance %u is 0x%08" PRIx32 ", exact 0x%08" PRIx32, fast->name,
		       w, i, b[w], a[w]);
		return false;
	}
	return true;
}

static bool same_run(const struct run_made *exact, const struct run_made *fast, struct verdict *verdict)
{
	size_t layers = ai8x_machine_layer_count(exact->machine);
	if (layers != ai8x_machine_layer_count(fast->machine) || exact->result.cycles != fast->result.cycles) {
		decide(verdict, OUTCOME_FAST, "%s: %zu layers and %" PRIu64 " cycles, exact %zu and %" PRIu64,
		       fast->name, ai8x_machine_layer_count(fast->machine), fast->result.cycles, layers,
		       exact->result.cycles);
		return false;
	}
	for (size_t i = 0; i < layers; i++)
		if (!same_layer(ai8x_machine_layer_report(exact->machine, i),
		                ai8x_machine_layer_report(fast->machine, i), fast->name, verdict))
			return false;
	return same_memory(exact, fast, verdict);
}

static bool fast_equals_exact(const struct judge *judge, const struct trial *trial,
                              const ai8x_program *program, const struct run_made *exact,
                              struct verdict *verdict)
{
	bool same = true;
	for (unsigned k = 0; k < judge->kernel_count && same; k++) {
		struct run_made fast = {0};
		same =
			carry_out(trial, program, judge->kernels[k], &fast, verdict) && same_run(exact, &fast, verdict);
		for (size_t i = 0; same && k == 0 && i < ai8x_machine_layer_count(fast.machine); i++) {
			const ai8x_layer_report *report = ai8x_machine_layer_report(fast.machine, i);
			verdict->fast_layers += !report->exact_engine;
			if (report->exact_engine)
				(void)snprintf(verdict->reason, sizeof verdict->reason, "%s", report->exact_reason);
		}
		run_release(&fast);
	}
	return same;
}

// A layer that writes where it reads computes nothing sensible, so the golden model has no say; but both engines have to
// see the same words in the same order.
static bool overlap_is_the_same(const struct judge *judge, const struct trial *trial,
                                const ai8x_network *network, struct verdict *verdict)
{
	uint64_t number = trial->number / 2;
	ai8x_error error = {AI8X_OK, ""};
	ai8x_network *moved = NULL;
	ai8x_program *program = NULL;
	struct run_made exact = {0};
	if (number % OVERLAP_EVERY != 0)
		return true;
	if (ai8x_network_copy(network, &moved, &error) != AI8X_OK) {
		decide(verdict, OUTCOME_COMPILE, "%s", error.message);
		return false;
	}
	number /= OVERLAP_EVERY;
	ai8x_network_layer *layer = &moved->layers[number % moved->layer_count];
	// Under the first rows of what it reads, and on the same processors if it can be.
	layer->out_offset = layer->in_offset + 4 * (int64_t)(number % 13);
	if (!layer->streaming && layer->groups == 1 && layer->operation != AI8X_OP_PASSTHROUGH &&
	    layer->in_channels == layer->out_channels)
		layer->output_processors = layer->processors;
	bool same = true;
	struct verdict refused = {.outcome = OUTCOME_PASS};
	if (ai8x_network_compile(moved, trial->part, &trial->options, &program, &error) == AI8X_OK &&
	    start_run(trial, program, NULL, &exact, &refused)) {
		for (unsigned k = 0; k < judge->kernel_count && same; k++) {
			struct run_made fast = {0};
			same = start_run(trial, program, judge->kernels[k], &fast, verdict) &&
			       same_run(&exact, &fast, verdict);
			run_release(&fast);
		}
	}
	run_release(&exact);
	ai8x_program_destroy(program);
	ai8x_network_destroy(moved);
	return same;
}

// --- Closed form against exact --------------------------------------------------------------------------

static bool time_equals_exact(const struct trial *trial, const ai8x_program *program,
                              const struct run_made *exact, struct verdict *verdict)
{
	ai8x_feed feed = {.write_cycles = trial->pace};
	ai8x_timing timing;
	ai8x_error error = {AI8X_OK, ""};
	if (ai8x_time_program(program, &feed, &timing, &error) != AI8X_OK) {
		decide(verdict, OUTCOME_TIME, "%s", error.message);
		return false;
	}
	const ai8x_schedule *schedule = &timing.schedule;
	size_t layers = ai8x_machine_layer_count(exact->machine);
	bool same = schedule->layer_count == layers;
	for (size_t i = 0; same && i < layers; i++) {
		const ai8x_layer_report *report = ai8x_machine_layer_report(exact->machine, i);
		const ai8x_schedule_layer *planned = &schedule->layers[i];
		const char *what = NULL;
		same = same_counters(&planned->counters, &report->counters, &what) &&
		       planned->cycles == report->cycles && planned->start_cycle == report->start_cycle &&
		       planned->layer.index == report->layer.index;
		if (!same)
			decide(verdict, OUTCOME_TIME,
			       "register set %u: %s differ: %" PRIu64 " cycles from %" PRIu64 " on, exact %" PRIu64
			       " from %" PRIu64,
			       report->layer.index, what == NULL ? "cycles, start or order" : what, planned->cycles,
			       planned->start_cycle, report->cycles, report->start_cycle);
	}
	if (same && schedule->cycles != exact->result.cycles) {
		decide(verdict, OUTCOME_TIME, "%" PRIu64 " cycles, exact %" PRIu64, schedule->cycles,
		       exact->result.cycles);
		same = false;
	} else if (!same && verdict->outcome != OUTCOME_TIME) {
		decide(verdict, OUTCOME_TIME, "%zu layers, exact %zu", schedule->layer_count, layers);
	}
	ai8x_timing_release(&timing);
	return same;
}

// --- All of it ------------------------------------------------------------------------------------------

// A refusal is a status of its own and says which layer, and why in more than a word.
static void refuse(struct verdict *verdict, ai8x_status status, const ai8x_error *error)
{
	if (status != AI8X_ERR_NETWORK)
		decide(verdict, OUTCOME_COMPILE, "%s: %s", ai8x_status_name(status), error->message);
	else if (strlen(error->message) < 24 ||
	         (strstr(error->message, "layer ") == NULL && strstr(error->message, "network") == NULL))
		decide(verdict, OUTCOME_REFUSAL, "'%s'", error->message);
	else
		decide(verdict, OUTCOME_REFUSED, "%s", error->message);
}

static void judge_program(struct judge *judge, const struct trial *trial, const ai8x_network *network,
                          const ai8x_compile_options *options, const ai8x_program *program,
                          struct verdict *verdict)
{
	struct run_made exact = {0};
	if (registers_survive(judge, program, verdict) &&
	    description_survives(judge, trial, network, options, program, verdict) &&
	    carry_out(trial, program, NULL, &exact, verdict) &&
	    time_equals_exact(trial, program, &exact, verdict) &&
	    fast_equals_exact(judge, trial, program, &exact, verdict) &&
	    overlap_is_the_same(judge, trial, network, verdict)) {
		verdict->outcome = OUTCOME_PASS;
		verdict->layers = ai8x_machine_layer_count(exact.machine);
		verdict->cycles = exact.result.cycles;
		count_features(trial, network, verdict->features);
		for (size_t i = 0; i < ai8x_program_layer_count(program); i++) {
			const ai8x_program_layer *layer = ai8x_program_layer_at(program, i);
			verdict->values += (uint64_t)layer->shape[0] * layer->shape[1] * layer->shape[2];
			verdict->words += layer->memory_count;
		}
	}
	run_release(&exact);
}

void trial_judge(struct judge *judge, const struct trial *trial, struct verdict *verdict,
                 struct trial_products *products)
{
	struct trial_products made = {0};
	ai8x_network_tensor *outputs = NULL;
	golden_model *model = NULL;
	ai8x_error error = {AI8X_OK, ""};
	ai8x_compile_options options = trial->options;
	ai8x_status status;

	*verdict = (struct verdict){.outcome = OUTCOME_PASS};
	status = ai8x_network_copy(trial->network, &made.network, &error);
	if (status != AI8X_OK) {
		decide(verdict, OUTCOME_COMPILE, "%s", error.message);
	} else if ((status = ai8x_network_resolve(made.network, &error)) != AI8X_OK) {
		decide(verdict, OUTCOME_SENSELESS, "%s", error.message);
	} else if ((status = ai8x_network_place(made.network, trial->part, &options, &error)) != AI8X_OK) {
		refuse(verdict, status, &error);
	} else if (!fill_network(trial, made.network) ||
	           golden_model_create(made.network, &model, &error) != AI8X_OK ||
	           ai8x_network_randomise(made.network, trial->number, golden_model_range, model, &error) !=
	               AI8X_OK ||
	           golden_model_outputs(model, &outputs, &error) != AI8X_OK) {
		decide(verdict, OUTCOME_GOLDEN, "%s", error.message);
	} else {
		options.outputs = outputs;
		status = ai8x_network_compile(made.network, trial->part, &options, &made.program, &error);
		if (status != AI8X_OK)
			refuse(verdict, status, &error);
		else
			judge_program(judge, trial, made.network, &options, made.program, verdict);
	}
	free(outputs);
	golden_model_destroy(model);
	if (products != NULL)
		*products = made;
	else
		trial_products_release(&made);
}
