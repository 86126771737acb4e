// Computing a grid: each point is compiled by its shapes and profiled in closed form.
#include "sweep/spec.h"

#include <stdlib.h>
#include <string.h>

#include <ai8xsim/network.h>

#include "base/error.h"
#include "network/network.h"
#include "runner/work.h"

enum { CHUNKS = 256, CHUNK_POINTS = 64, MOST_JOBS = 4096 };

// --- Measures ----------------------------------------------------------------------------------------

#define MEASURE(field)                                                                                       \
	static double of_##field(const ai8x_sweep_point *point)                                                  \
	{                                                                                                        \
		return (double)point->field;                                                                         \
	}
MEASURE(seconds)
MEASURE(cycles)
MEASURE(joules)
MEASURE(macs)
MEASURE(parameters)
MEASURE(weight_bytes)
MEASURE(kernel_words)
MEASURE(data_words)

const struct sweep_measure *sweep_measures(void)
{
	static const struct sweep_measure measures[] = {
		{"seconds", "time of one inference", "s", of_seconds, false},
		{"cycles", "cycles of one inference", "", of_cycles, false},
		{"joules", "energy of one inference (estimate)", "J", of_joules, false},
		{"macs", "multiply-accumulates", "", of_macs, true},
		{"parameters", "weights and biases", "", of_parameters, true},
		{"weight_bytes", "weights and biases in bytes", "B", of_weight_bytes, false},
		{"kernel_words", "words of kernel memory", "", of_kernel_words, false},
		{"data_words", "words of data memory", "", of_data_words, false},
		{0},
	};
	return measures;
}

// --- One point ---------------------------------------------------------------------------------------

static void count_parameters(const ai8x_network *network, ai8x_sweep_point *point)
{
	uint64_t bits = 0;
	for (size_t i = 0; i < network->layer_count; i++) {
		const ai8x_network_layer *layer = &network->layers[i];
		if (layer->operation == AI8X_OP_PASSTHROUGH || layer->bypass || layer->weight_source >= 0)
			continue;
		const uint64_t weights =
			(uint64_t)layer->out_channels * layer->fan_channels * layer->kernel_rows * layer->kernel_columns;
		const uint64_t biases = layer->bias_wanted ? layer->out_channels : 0;
		point->parameters += weights + biases;
		bits += weights * (uint64_t)abs(layer->weight_bits) + biases * 8;
	}
	point->weight_bytes = (bits + 7) / 8;
}

static const char *part_of(const ai8x_sweep *sweep, size_t point)
{
	for (size_t a = 0; a < sweep->axis_count; a++)
		if (sweep->axes[a].is_part)
			return sweep->axes[a].values[sweep_position(sweep, point, a)].label;
	return "MAX78000";
}

// Lines are those of the text that was made for the point, which nobody sees.
static void drop_line(char *message, const char *name)
{
	const size_t length = strlen(name);
	if (strncmp(message, name, length) != 0 || message[length] != ':')
		return;
	const char *after = message + length + 1;
	after += strspn(after, "0123456789");
	if (*after == ':' && after > message + length + 1)
		memmove(message + length, after, strlen(after) + 1);
}

// What keeps a network from running on a part is a result; only lack of memory is a failure.
static ai8x_status compute(const ai8x_sweep *sweep, size_t index, ai8x_sweep_point *point, ai8x_error *error)
{
	char *text = NULL;
	size_t size = 0;
	ai8x_network *network = NULL;
	ai8x_error reason = {0};
	const ai8x_network_files files = {.input_shape = sweep->shape[0] != 0 ? sweep->shape : NULL};
	const ai8x_part *part = ai8x_part_find(part_of(sweep, index));
	memset(point, 0, sizeof *point);
	(void)snprintf(point->part, sizeof point->part, "%s", ai8x_part_get_info(part)->name);
	ai8x_status status = sweep_describe(sweep, index, &text, &size, &reason);
	if (status == AI8X_OK)
		status = network_parse_like(text, size, sweep->name, &files, sweep->model, &network, &reason);
	ai8x_cost cost = {0};
	if (status == AI8X_OK) {
		count_parameters(network, point);
		status = ai8x_network_cost(network, part, &cost, &reason);
	}
	point->cycles = cost.cycles;
	point->macs = cost.macs;
	point->seconds = cost.seconds;
	point->joules = cost.joules;
	point->kernel_words = cost.kernel_words;
	point->kernel_capacity = cost.kernel_capacity;
	point->data_words = cost.data_words;
	point->data_capacity = cost.data_capacity;
	free(text);
	ai8x_network_destroy(network);
	point->status = status;
	drop_line(reason.message, sweep->name);
	(void)snprintf(point->message, sizeof point->message, "%.*s", (int)sizeof point->message - 1,
	               reason.message);
	if (status == AI8X_ERR_NO_MEMORY)
		*error = reason;
	return status == AI8X_ERR_NO_MEMORY ? status : AI8X_OK;
}

// --- The best ----------------------------------------------------------------------------------------

struct candidate {
	double across, upwards; // less is better
	size_t point;
};

static int compare(const void *a, const void *b)
{
	const struct candidate *left = a, *right = b;
	if (left->across != right->across)
		return left->across < right->across ? -1 : 1;
	if (left->upwards != right->upwards)
		return left->upwards < right->upwards ? -1 : 1;
	return left->point < right->point ? -1 : left->point > right->point;
}

static bool equal(const struct candidate *left, const struct candidate *right)
{
	return left->across == right->across && left->upwards == right->upwards;
}

// In the order of the first objective a point is among the best when its second one is better than all before it;
// points that are equal in both are all among them.
static ai8x_status mark_best(ai8x_sweep *sweep, ai8x_error *error)
{
	struct candidate *candidates = calloc(sweep->point_count + 1, sizeof *candidates);
	size_t count = 0;
	if (candidates == NULL)
		return error_no_memory(error, "the best points");
	for (size_t i = 0; i < sweep->point_count; i++) {
		const ai8x_sweep_point *point = &sweep->points[i];
		if (point->status != AI8X_OK)
			continue;
		const double across = sweep->objective[0]->of(point), upwards = sweep->objective[1]->of(point);
		candidates[count++] =
			(struct candidate){sweep->more[0] ? -across : across, sweep->more[1] ? -upwards : upwards, i};
	}
	qsort(candidates, count, sizeof *candidates, compare);
	for (size_t i = 0, last = 0; i < count; i++) {
		const bool better = i == 0 || candidates[i].upwards < candidates[last].upwards;
		const bool tied = !better && equal(&candidates[i], &candidates[last]);
		sweep->points[candidates[i].point].best = better || tied;
		sweep->points[candidates[i].point].tied = tied;
		last = better ? i : last;
		sweep->points[candidates[last].point].ties += tied;
	}
	free(candidates);
	return AI8X_OK;
}

// --- All points --------------------------------------------------------------------------------------

struct run {
	ai8x_sweep *sweep;
	const ai8x_sweep_options *options;
	size_t chunk, done;
};

static size_t points_of(const struct run *run, size_t chunk, size_t *first)
{
	*first = chunk * run->chunk;
	const size_t left = run->sweep->point_count - *first;
	return left < run->chunk ? left : run->chunk;
}

static ai8x_status open_worker(void *user, void **worker, ai8x_error *error)
{
	(void)user;
	(void)error;
	*worker = NULL;
	return AI8X_OK;
}

static void close_worker(void *worker)
{
	(void)worker;
}

static ai8x_status run_chunk(void *user, void *worker, size_t chunk, const atomic_bool *stop, void *result,
                             size_t *size, ai8x_error *error)
{
	const struct run *run = user;
	ai8x_sweep_point point;
	uint8_t *to = result;
	size_t first;
	const size_t count = points_of(run, chunk, &first);
	(void)worker;
	for (size_t i = 0; i < count; i++) {
		if (atomic_load_explicit(stop, memory_order_relaxed))
			return AI8X_ERR_CANCELLED;
		ai8x_status status = compute(run->sweep, first + i, &point, error);
		if (status != AI8X_OK)
			return status;
		memcpy(to + i * sizeof point, &point, sizeof point);
	}
	*size = count * sizeof point;
	return AI8X_OK;
}

static ai8x_status take_chunk(void *user, size_t chunk, const void *result, size_t size, ai8x_error *error)
{
	struct run *run = user;
	size_t first;
	const size_t count = points_of(run, chunk, &first);
	if (size != count * sizeof *run->sweep->points)
		return error_set(error, AI8X_ERR_FORMAT, "a rank sent %zu bytes for %zu points", size, count);
	memcpy(run->sweep->points + first, result, size);
	run->done += count;
	return AI8X_OK;
}

static ai8x_status pulse(void *user, ai8x_error *error)
{
	struct run *run = user;
	const ai8x_sweep_options *options = run->options;
	if (options->progress == NULL || options->progress(options->user, run->done, run->sweep->point_count))
		return AI8X_OK;
	return error_set(error, AI8X_ERR_CANCELLED, "stopped with %zu of %zu points done", run->done,
	                 run->sweep->point_count);
}

ai8x_status ai8x_sweep_run(ai8x_sweep *sweep, const ai8x_sweep_options *options, ai8x_error *error)
{
	if (sweep == NULL || options == NULL)
		return error_null(error, sweep == NULL ? "sweep" : "options");
	if (sweep->running)
		return error_set(error, AI8X_ERR_ARGUMENT, "sweep: called from the callback of the same grid's run");
	if (options->jobs < 1 || options->jobs > MOST_JOBS) {
		const ai8x_status refused =
			error_set(error, AI8X_ERR_ARGUMENT, "sweep: %u jobs, expected 1 to %d", options->jobs, MOST_JOBS);
		ai8x_cluster_refuse(options->cluster, error);
		return refused;
	}
	struct run run = {.sweep = sweep, .options = options};
	run.chunk = sweep->point_count / CHUNKS;
	run.chunk = run.chunk < 1 ? 1 : run.chunk > CHUNK_POINTS ? CHUNK_POINTS : run.chunk;
	const struct work work = {
		.chunks = (sweep->point_count + run.chunk - 1) / run.chunk,
		.result_size = run.chunk * sizeof *sweep->points,
		.identity = sweep->identity,
		.user = &run,
		.open = open_worker,
		.close = close_worker,
		.run = run_chunk,
		.take = take_chunk,
		.pulse = pulse,
	};
	sweep->running = true;
	ai8x_status status = work_do(&work, options->jobs, options->cluster, error);
	sweep->running = false;
	if (status == AI8X_OK && (options->cluster == NULL || options->cluster->rank == 0))
		status = mark_best(sweep, error);
	return status;
}

const char *ai8x_sweep_network_path(const ai8x_sweep *sweep)
{
	if (sweep == NULL)
		return "";
	return sweep->network_path;
}

const char *ai8x_sweep_name(const ai8x_sweep *sweep)
{
	if (sweep == NULL)
		return "";
	return sweep->name;
}

size_t ai8x_sweep_point_count(const ai8x_sweep *sweep)
{
	if (sweep == NULL)
		return 0;
	return sweep->point_count;
}

const ai8x_sweep_point *ai8x_sweep_point_at(const ai8x_sweep *sweep, size_t index)
{
	if (sweep == NULL)
		return NULL;
	return index < sweep->point_count ? &sweep->points[index] : NULL;
}

size_t ai8x_sweep_axis_count(const ai8x_sweep *sweep)
{
	if (sweep == NULL)
		return 0;
	return sweep->axis_count;
}

const char *ai8x_sweep_axis_name(const ai8x_sweep *sweep, size_t axis)
{
	if (sweep == NULL || axis >= sweep->axis_count)
		return "";
	return sweep->axes[axis].name;
}

const char *ai8x_sweep_value(const ai8x_sweep *sweep, size_t point, size_t axis)
{
	if (sweep == NULL || axis >= sweep->axis_count || point >= sweep->point_count)
		return "";
	return sweep->axes[axis].values[sweep_position(sweep, point, axis)].label;
}

const struct sweep_measure *sweep_objective(const ai8x_sweep *sweep, unsigned which, bool *more)
{
	*more = sweep->more[which % 2];
	return sweep->objective[which % 2];
}
