// Evaluation: a data set in chunks through a batch, scores from outputs and labels, outputs to a file.
#include <ai8xsim/eval.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ai8xsim/batch.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "runner/dataset.h"
#include "runner/results.h"
#include "runner/work.h"

// Chunks do not depend on the number of threads, so that files do not. Small enough that many threads have
// enough to draw, and that an interruption loses little; large enough that handing out costs nothing.
enum {
	CHUNKS = 256,
	CHUNK_INPUTS = 64,
	CHUNK_BYTES = 1 << 20,
	CHUNK_CYCLES = 20000000,
};
#define MAX_INPUTS (UINT64_C(1) << 31)
#define SAVE_SECONDS 1.0

struct evaluation {
	const ai8x_program *program;
	const ai8x_eval_options *options;
	ai8x_eval_result *result;
	struct dataset *data;
	ai8x_batch *batch;
	struct results *results; // rank 0 with an output file
	size_t input_values, output_values, label_values;
	uint64_t chunk;      // inputs
	uint8_t *chunk_done; // 1: wholly there from an earlier evaluation
	int32_t *labels;     // of the chunk being taken
	int32_t *outputs;    // of it
	double started, saved;
};

ai8x_eval_options ai8x_eval_options_default(void)
{
	return (ai8x_eval_options){.machine = ai8x_machine_options_default(), .jobs = 1};
}

void ai8x_eval_release(ai8x_eval_result *result)
{
	if (result == NULL)
		return;
	free(result->confusion);
	*result = (ai8x_eval_result){0};
}

// What decides outputs: the operations, without what is only compared.
static uint64_t hash_program(const ai8x_program *program)
{
	size_t count;
	const ai8x_op *ops = ai8x_program_ops(program, &count);
	uint64_t hash = HASH_START;
	for (size_t i = 0; i < count; i++) {
		const uint32_t words[] = {ops[i].kind, ops[i].address, ops[i].value, ops[i].mask};
		if (ops[i].kind != AI8X_BUS_EXPECT)
			hash = hash_bytes(hash, words, sizeof words);
	}
	return hash;
}

// --- Scores ------------------------------------------------------------------------------------------

// Position of a channel when all are sorted by value, largest first; equal ones in the order of channels.
static uint32_t rank_of(const int32_t *output, size_t step, uint32_t classes, uint32_t channel)
{
	const int32_t value = output[channel * step];
	uint32_t rank = 0;
	for (uint32_t c = 0; c < classes; c++)
		rank += output[c * step] > value || (output[c * step] == value && c < channel);
	return rank;
}

static uint32_t largest(const int32_t *output, size_t step, uint32_t classes)
{
	uint32_t best = 0;
	for (uint32_t c = 1; c < classes; c++)
		if (output[c * step] > output[best * step])
			best = c;
	return best;
}

static ai8x_status score(struct evaluation *evaluation, uint64_t first, uint64_t count,
                         const int32_t *outputs, ai8x_error *error)
{
	ai8x_eval_result *result = evaluation->result;
	if (!result->labelled)
		return AI8X_OK;
	const size_t step = evaluation->label_values; // one label for each position of a channel
	ai8x_status status = dataset_read_labels(evaluation->data, first, count, evaluation->labels, error);
	for (uint64_t i = 0; i < count * step && status == AI8X_OK; i++) {
		const int32_t *output = outputs + i / step * evaluation->output_values + i % step;
		const int32_t label = evaluation->labels[i];
		if (result->dense && label == AI8X_EVAL_IGNORE && result->classes <= AI8X_EVAL_IGNORE)
			continue;
		if (label < 0 || (uint32_t)label >= result->classes) {
			status = error_set(error, AI8X_ERR_FORMAT,
			                   "label %d of input %llu is not one of the %u classes 0..%u", label,
			                   (unsigned long long)(first + i / step), result->classes, result->classes - 1);
			break;
		}
		result->answers++;
		result->confusion[(size_t)label * result->classes + largest(output, step, result->classes)]++;
		const uint32_t rank = rank_of(output, step, result->classes, (uint32_t)label);
		result->top1 += rank == 0;
		result->top5 += rank < 5;
	}
	return status;
}

double ai8x_eval_iou(const ai8x_eval_result *result, uint32_t c)
{
	if (result == NULL)
		return -1;
	uint64_t labels = 0, answers = 0;
	if (result->confusion == NULL || c >= result->classes)
		return -1;
	for (size_t i = 0; i < result->classes; i++) {
		labels += result->confusion[c * (size_t)result->classes + i];
		answers += result->confusion[i * result->classes + c];
	}
	const uint64_t hits = result->confusion[c * (size_t)result->classes + c];
	return labels + answers > 0 ? (double)hits / (double)(labels + answers - hits) : -1;
}

static double mean_iou(const ai8x_eval_result *result)
{
	double sum = 0;
	uint32_t count = 0;
	for (uint32_t c = 0; c < result->classes; c++) {
		const double iou = ai8x_eval_iou(result, c);
		sum += iou >= 0 ? iou : 0;
		count += iou >= 0;
	}
	return count > 0 ? sum / count : 0;
}

// --- Chunks ------------------------------------------------------------------------------------------

static uint64_t first_of(const struct evaluation *evaluation, size_t chunk, uint64_t *count)
{
	const uint64_t first = chunk * evaluation->chunk, left = evaluation->result->progress.inputs - first;
	*count = left < evaluation->chunk ? left : evaluation->chunk;
	return first;
}

struct eval_worker {
	ai8x_batch_worker *machine;
	int8_t *inputs; // of a chunk
	void *room;     // to read them
};

static void close_worker(void *argument)
{
	struct eval_worker *worker = argument;
	ai8x_batch_worker_destroy(worker->machine);
	free(worker->inputs);
	free(worker->room);
	free(worker);
}

static ai8x_status open_worker(void *user, void **out, ai8x_error *error)
{
	struct evaluation *evaluation = user;
	struct eval_worker *worker = calloc(1, sizeof *worker);
	if (worker == NULL)
		return error_no_memory(error, "a worker");
	*out = worker;
	worker->inputs = malloc(evaluation->chunk * evaluation->input_values + 1);
	worker->room = malloc(dataset_room(evaluation->data, evaluation->chunk));
	if (worker->inputs == NULL || worker->room == NULL)
		return error_no_memory(error, "a worker's inputs");
	return ai8x_batch_worker_create(evaluation->batch, &worker->machine, error);
}

// A result: the outputs of all inputs, then the hashes of the inputs.
static ai8x_status run_chunk(void *user, void *argument, size_t chunk, const atomic_bool *stop, void *bytes,
                             size_t *size, ai8x_error *error)
{
	struct evaluation *evaluation = user;
	struct eval_worker *worker = argument;
	uint64_t count;
	const uint64_t first = first_of(evaluation, chunk, &count);
	int32_t *outputs = bytes;
	uint8_t *hashes = (uint8_t *)(outputs + count * evaluation->output_values);
	ai8x_status status =
		dataset_read_inputs(evaluation->data, first, count, worker->room, worker->inputs, error);
	for (uint64_t i = 0; i < count && status == AI8X_OK; i++) {
		const int8_t *input = worker->inputs + i * evaluation->input_values;
		if (atomic_load_explicit(stop, memory_order_relaxed))
			return AI8X_ERR_CANCELLED;
		const uint64_t hash = hash_bytes(HASH_START, input, evaluation->input_values);
		memcpy(hashes + i * sizeof hash, &hash, sizeof hash);
		status = ai8x_batch_run(worker->machine, input, outputs + i * evaluation->output_values, error);
		if (status != AI8X_OK)
			return error_prefix(error, status, "input %llu", (unsigned long long)(first + i));
	}
	*size = count * (evaluation->output_values * sizeof *outputs + sizeof(uint64_t));
	return status;
}

static ai8x_status take_chunk(void *user, size_t chunk, const void *bytes, size_t size, ai8x_error *error)
{
	struct evaluation *evaluation = user;
	uint64_t count, hashes[CHUNK_INPUTS];
	const uint64_t first = first_of(evaluation, chunk, &count);
	const size_t values = count * evaluation->output_values;
	if (size != values * sizeof(int32_t) + count * sizeof hashes[0])
		return error_set(error, AI8X_ERR_FORMAT, "a rank sent %zu bytes for %llu inputs", size,
		                 (unsigned long long)count);
	// Messages are not aligned for what they hold.
	int32_t *outputs = evaluation->outputs;
	memcpy(outputs, bytes, values * sizeof *outputs);
	memcpy(hashes, (const uint8_t *)bytes + values * sizeof *outputs, count * sizeof hashes[0]);
	ai8x_status status = AI8X_OK;
	if (evaluation->results != NULL)
		status = results_write(evaluation->results, first, count, outputs, hashes, error);
	if (status == AI8X_OK)
		status = score(evaluation, first, count, outputs, error);
	if (status == AI8X_OK)
		evaluation->result->progress.done += count;
	return status;
}

static ai8x_status pulse(void *user, ai8x_error *error)
{
	struct evaluation *evaluation = user;
	ai8x_eval_progress *progress = &evaluation->result->progress;
	ai8x_status status = AI8X_OK;
	progress->seconds = clock_seconds() - evaluation->started;
	if (evaluation->results != NULL && clock_seconds() - evaluation->saved >= SAVE_SECONDS) {
		status = results_save(evaluation->results, error);
		evaluation->saved = clock_seconds();
	}
	if (status == AI8X_OK && evaluation->options->progress != NULL &&
	    !evaluation->options->progress(evaluation->options->user, progress))
		status = error_set(error, AI8X_ERR_CANCELLED, "stopped with %llu of %llu inputs done",
		                   (unsigned long long)progress->done, (unsigned long long)progress->inputs);
	return status;
}

// --- Going on ----------------------------------------------------------------------------------------

// Scores a chunk that an earlier evaluation did, after checking that its inputs are still the same.
static ai8x_status resume_chunk(struct evaluation *evaluation, size_t chunk, int8_t *inputs, void *room,
                                ai8x_error *error)
{
	uint64_t count, hashes[CHUNK_INPUTS];
	const uint64_t first = first_of(evaluation, chunk, &count);
	ai8x_status status = results_read(evaluation->results, first, count, evaluation->outputs, hashes, error);
	if (status == AI8X_OK)
		status = dataset_read_inputs(evaluation->data, first, count, room, inputs, error);
	for (uint64_t i = 0; i < count && status == AI8X_OK; i++) {
		const uint64_t hash =
			hash_bytes(HASH_START, inputs + i * evaluation->input_values, evaluation->input_values);
		if (hash != hashes[i])
			status = error_set(
				error, AI8X_ERR_FORMAT,
				"%s.part was begun with other data: input %llu is not the same; remove it, or start "
				"anew",
				evaluation->options->output, (unsigned long long)(first + i));
	}
	if (status == AI8X_OK)
		status = score(evaluation, first, count, evaluation->outputs, error);
	if (status == AI8X_OK)
		evaluation->result->progress.done += count;
	return status;
}

static ai8x_status resume(struct evaluation *evaluation, size_t chunks, ai8x_error *error)
{
	const uint8_t *done = results_done(evaluation->results);
	int8_t *inputs = malloc(evaluation->chunk * evaluation->input_values + 1);
	void *room = malloc(dataset_room(evaluation->data, evaluation->chunk));
	ai8x_status status = inputs == NULL || room == NULL ? error_no_memory(error, "inputs") : AI8X_OK;
	for (size_t chunk = 0; chunk < chunks && status == AI8X_OK; chunk++) {
		uint64_t count, first = first_of(evaluation, chunk, &count);
		evaluation->chunk_done[chunk] = 1;
		for (uint64_t i = first; i < first + count; i++)
			evaluation->chunk_done[chunk] &= done[i] == 1;
		if (evaluation->chunk_done[chunk])
			status = resume_chunk(evaluation, chunk, inputs, room, error);
	}
	evaluation->result->progress.resumed = evaluation->result->progress.done;
	free(inputs);
	free(room);
	return status;
}

// --- Fitting data to the program ---------------------------------------------------------------------

// [C][L] is taken as [C][H][W] with as many pixels.
static bool same_shape(struct dataset_shape shape, const uint32_t wanted[3])
{
	const uint64_t pixels = (uint64_t)wanted[1] * wanted[2];
	if (shape.sides[0] != wanted[0])
		return false;
	if (shape.rank <= 2)
		return shape.sides[1] == pixels;
	return shape.sides[1] == wanted[1] && shape.sides[2] == wanted[2];
}

// What the shape of other data suggests.
static const char *why_other_shape(const struct dataset *data, const uint32_t wanted[3])
{
	const struct dataset_shape shape = dataset_input_shape(data);
	const uint64_t *sides = shape.sides;
	if (shape.rank == 3 && sides[0] == wanted[1] && sides[1] == wanted[2] && sides[2] == wanted[0])
		return "; its channels come last: transpose it, numpy.transpose(inputs, (0, 3, 1, 2))";
	if (shape.rank == 2 && dataset_count(data) == wanted[0] && sides[0] == wanted[1] && sides[1] == wanted[2])
		return "; the first dimension counts inputs: a single one needs it, too, inputs[numpy.newaxis]";
	return "";
}

static ai8x_status fit_input(struct evaluation *evaluation, const char *path, ai8x_error *error)
{
	ai8x_eval_result *result = evaluation->result;
	const struct dataset_shape shape = dataset_input_shape(evaluation->data);
	const uint32_t *wanted = result->input_shape;
	ai8x_status status = ai8x_batch_input_shape(evaluation->batch, result->input_shape, error);
	if (status != AI8X_OK)
		return error_prefix(error, status, "%s", ai8x_program_name(evaluation->program));
	if (!same_shape(shape, wanted))
		return error_set(error, AI8X_ERR_FORMAT,
		                 "%s: inputs are %llu x %llu x %llu, but the program takes %u x %u x %u%s", path,
		                 (unsigned long long)shape.sides[0], (unsigned long long)shape.sides[1],
		                 (unsigned long long)shape.sides[2], wanted[0], wanted[1], wanted[2],
		                 why_other_shape(evaluation->data, wanted));
	evaluation->input_values = (size_t)wanted[0] * wanted[1] * wanted[2];
	result->progress.inputs = dataset_count(evaluation->data);
	if (evaluation->options->limit > 0 && evaluation->options->limit < result->progress.inputs)
		result->progress.inputs = evaluation->options->limit;
	if (result->progress.inputs > MAX_INPUTS)
		return error_set(error, AI8X_ERR_LIMIT, "%s: more than 2^31 inputs", path);
	return AI8X_OK;
}

static ai8x_status fit_labels(struct evaluation *evaluation, const char *path, ai8x_error *error)
{
	ai8x_eval_result *result = evaluation->result;
	const uint32_t *shape = result->output_shape;
	const char *file = evaluation->options->labels != NULL ? evaluation->options->labels : path;
	result->classes = shape[0];
	if (!dataset_has_labels(evaluation->data)) {
		if (evaluation->options->labels_needed)
			return error_set(error, AI8X_ERR_FORMAT, "%s: has no data set 'labels'", file);
		if (evaluation->options->output == NULL)
			return error_set(error, AI8X_ERR_ARGUMENT,
			                 "%s: without labels and without a file for outputs nothing "
			                 "would come out",
			                 path);
		return AI8X_OK;
	}
	const struct dataset_shape labels = dataset_label_shape(evaluation->data);
	const uint64_t count = labels.sides[0] * labels.sides[1] * labels.sides[2];
	const uint32_t pixels = shape[1] * shape[2];
	const bool rows_fit = labels.rank < 2 || (labels.sides[0] == shape[1] && labels.sides[1] == shape[2]);
	if (count != pixels || !rows_fit)
		return error_set(error, AI8X_ERR_FORMAT,
		                 "%s: %llu labels per input, but the program's output is %u x %u x %u", file,
		                 (unsigned long long)count, shape[0], shape[1], shape[2]);
	if (result->classes < 2 || result->classes > AI8X_EVAL_MAX_CLASSES)
		return error_set(error, AI8X_ERR_UNSUPPORTED,
		                 "%s: labels need 2 to %d output channels, the program has %u", file,
		                 AI8X_EVAL_MAX_CLASSES, result->classes);
	result->labelled = true;
	result->dense = pixels > 1;
	evaluation->label_values = pixels;
	result->confusion = calloc((size_t)result->classes * result->classes, sizeof *result->confusion);
	return result->confusion == NULL ? error_no_memory(error, "the confusion matrix") : AI8X_OK;
}

static uint64_t at_most(uint64_t value, uint64_t limit)
{
	return value < limit ? value : limit;
}

static ai8x_status choose_chunks(struct evaluation *evaluation, ai8x_error *error)
{
	ai8x_eval_result *result = evaluation->result;
	const size_t bytes = evaluation->input_values + evaluation->output_values * sizeof(int32_t);
	uint64_t chunk = at_most(result->progress.inputs / CHUNKS, CHUNK_INPUTS);
	chunk = at_most(chunk, CHUNK_BYTES / bytes);
	chunk = at_most(chunk, CHUNK_CYCLES / (result->cycles + 1));
	evaluation->chunk = chunk > 0 ? chunk : 1;
	evaluation->chunk_done = calloc(result->progress.inputs / evaluation->chunk + 1, 1);
	evaluation->labels = calloc(evaluation->chunk * evaluation->label_values + 1, sizeof *evaluation->labels);
	evaluation->outputs =
		calloc(evaluation->chunk * evaluation->output_values + 1, sizeof *evaluation->outputs);
	return evaluation->chunk_done == NULL || evaluation->labels == NULL || evaluation->outputs == NULL
	           ? error_no_memory(error, "chunks")
	           : AI8X_OK;
}

static void tell_note(const struct evaluation *evaluation, const char *path)
{
	const ai8x_eval_options *options = evaluation->options;
	const char *note = dataset_note(evaluation->data);
	char text[AI8X_MESSAGE_SIZE];
	if (note == NULL || options->note == NULL || (options->cluster != NULL && options->cluster->rank != 0))
		return;
	(void)snprintf(text, sizeof text, "%s: %s", path, note);
	options->note(options->user, text);
}

static ai8x_status prepare(struct evaluation *evaluation, const char *path, ai8x_error *error)
{
	ai8x_eval_result *result = evaluation->result;
	ai8x_batch_options batch_options = ai8x_batch_options_default();
	batch_options.machine = evaluation->options->machine;
	ai8x_status status = dataset_open(path, evaluation->options->labels, evaluation->options->input_scale,
	                                  &evaluation->data, error);
	if (status != AI8X_OK)
		return status;
	status = ai8x_batch_create(evaluation->program, &batch_options, &evaluation->batch, error);
	if (status != AI8X_OK)
		return error_prefix(error, status, "%s", ai8x_program_name(evaluation->program));
	ai8x_batch_output_shape(evaluation->batch, result->output_shape);
	result->cycles = ai8x_batch_cycles(evaluation->batch);
	evaluation->output_values =
		(size_t)result->output_shape[0] * result->output_shape[1] * result->output_shape[2];
	status = fit_input(evaluation, path, error);
	if (status == AI8X_OK)
		status = fit_labels(evaluation, path, error);
	if (status == AI8X_OK)
		status = choose_chunks(evaluation, error);
	if (status == AI8X_OK)
		tell_note(evaluation, path);
	return status;
}

static ai8x_status open_results(struct evaluation *evaluation, const char *path, size_t chunks,
                                ai8x_error *error)
{
	const ai8x_eval_result *result = evaluation->result;
	const struct results_identity identity = {
		.program = ai8x_program_name(evaluation->program),
		.part = ai8x_part_get_info(ai8x_program_part(evaluation->program))->name,
		.data = path,
		.program_hash = hash_program(evaluation->program),
		.inputs = result->progress.inputs,
		.shape = {result->output_shape[0], result->output_shape[1], result->output_shape[2]},
		.classes = result->labelled ? result->classes : 0,
		.chunk = evaluation->chunk,
	};
	ai8x_status status = results_open(evaluation->options->output, &identity, evaluation->options->restart,
	                                  &evaluation->results, error);
	if (status == AI8X_OK)
		status = resume(evaluation, chunks, error);
	return status;
}

static ai8x_status evaluate(struct evaluation *evaluation, const char *path, ai8x_error *error)
{
	const ai8x_eval_options *options = evaluation->options;
	ai8x_eval_progress *progress = &evaluation->result->progress;
	const size_t chunks = (size_t)((progress->inputs + evaluation->chunk - 1) / evaluation->chunk);
	const bool root = options->cluster == NULL || options->cluster->rank == 0;
	const uint64_t identity[] = {hash_program(evaluation->program), progress->inputs, evaluation->chunk,
	                             evaluation->output_values};
	const struct work work = {
		.chunks = chunks,
		.done = evaluation->chunk_done,
		.result_size = evaluation->chunk * (evaluation->output_values * sizeof(int32_t) + sizeof(uint64_t)),
		.identity = hash_bytes(HASH_START, identity, sizeof identity),
		.user = evaluation,
		.open = open_worker,
		.close = close_worker,
		.run = run_chunk,
		.take = take_chunk,
		.pulse = pulse,
	};
	ai8x_status status = AI8X_OK;
	if (root && options->output != NULL)
		status = open_results(evaluation, path, chunks, error);
	evaluation->started = evaluation->saved = clock_seconds();
	if (status == AI8X_OK)
		status = work_do(&work, options->jobs, options->cluster, error);
	else
		work_refuse(options->cluster, status, error);
	if (!root)
		return status;
	progress->seconds = clock_seconds() - evaluation->started;
	if (status == AI8X_OK) {
		evaluation->result->mean_iou = mean_iou(evaluation->result);
		if (evaluation->results != NULL)
			status = results_finish(evaluation->results, evaluation->result->confusion, error);
	} else if (evaluation->results != NULL) {
		(void)results_save(evaluation->results, NULL);
	}
	return status;
}

static ai8x_status check_options(const char *data, const ai8x_eval_options *options, ai8x_error *error)
{
	enum { MOST_JOBS = 4096 };
	const char *const inputs[] = {data, options->labels};
	if (options->jobs < 1 || options->jobs > MOST_JOBS)
		return error_set(error, AI8X_ERR_ARGUMENT, "evaluation: %u jobs, expected 1 to %d", options->jobs,
		                 MOST_JOBS);
	for (size_t i = 0; options->output != NULL && i < sizeof inputs / sizeof inputs[0]; i++)
		if (inputs[i] != NULL && file_same(inputs[i], options->output))
			return error_set(error, AI8X_ERR_ARGUMENT, "%s: is an input, and cannot be the file for outputs",
			                 options->output);
	return AI8X_OK;
}

ai8x_status ai8x_eval(const ai8x_program *program, const char *data, const ai8x_eval_options *options,
                      ai8x_eval_result *result, ai8x_error *reason)
{
	ai8x_error own, *error = reason != NULL ? reason : &own;
	if (result != NULL)
		*result = (ai8x_eval_result){0};
	if (error_if_null(error, program, data, options, result))
		return AI8X_ERR_ARGUMENT;
	ai8x_status refused = check_options(data, options, error);
	if (refused != AI8X_OK) {
		work_refuse(options->cluster, refused, error);
		return refused;
	}
	struct evaluation evaluation = {.program = program, .options = options, .result = result};
	ai8x_status status = prepare(&evaluation, data, error);
	if (status == AI8X_OK)
		status = evaluate(&evaluation, data, error);
	else
		work_refuse(options->cluster, status, error);
	if (status != AI8X_OK && status != AI8X_ERR_CANCELLED)
		ai8x_eval_release(result);
	results_close(evaluation.results);
	ai8x_batch_destroy(evaluation.batch);
	dataset_close(evaluation.data);
	free(evaluation.chunk_done);
	free(evaluation.labels);
	free(evaluation.outputs);
	return status;
}
