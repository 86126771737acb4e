// Network -> program: checks, placement, plan, program, in that order.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "network/attributes.h"
#include "network/limits.h"
#include "network/lower.h"
#include "network/network.h"
#include "network/placing.h"
#include "network/verify.h"

ai8x_compile_options ai8x_compile_options_default(void)
{
	return (ai8x_compile_options){
		.feed = AI8X_FEED_AUTO, .kernel_load = AI8X_KERNELS_PACKED, .pipeline = true};
}

// Options as far as the part has what they ask for.
static ai8x_compile_options effective(const ai8x_compile_options *options, const ai8x_part *part)
{
	ai8x_compile_options result = options == NULL ? ai8x_compile_options_default() : *options;
	// A part without the switch has no unpipelined operation to select.
	result.pipeline = result.pipeline || part->fields[F_NO_PIPELINE].width == 0;
	return result;
}

static ai8x_status check_and_place(ai8x_network *network, const ai8x_part *part,
                                   const ai8x_compile_options *options, ai8x_error *error)
{
	ai8x_status status = network_check(network, part, error);
	return status == AI8X_OK ? network_place(network, part, options, error) : status;
}

static ai8x_status set_input(const ai8x_network *network, ai8x_program *program, ai8x_error *error)
{
	size_t count = (size_t)network->input_shape[0] * network->input_shape[1] * network->input_shape[2];
	if (network->input == NULL)
		return AI8X_OK;
	int32_t *values = malloc((count == 0 ? 1 : count) * sizeof *values);
	if (values == NULL)
		return error_no_memory(error, "the input");
	for (size_t i = 0; i < count; i++)
		values[i] = network->input[i];
	ai8x_status status = ai8x_program_set_input(program, values, network->input_shape, error);
	free(values);
	return status;
}

static ai8x_status build(struct plan *plan, const ai8x_network_tensor *outputs, ai8x_program *program,
                         ai8x_error *error)
{
	ai8x_status status = plan_kernels(plan, error);
	if (status == AI8X_OK)
		status = plan_bias(plan, error);
	if (status == AI8X_OK)
		status = plan_streams(plan, error);
	return status == AI8X_OK ? plan_emit(plan, outputs, program, error) : status;
}

static ai8x_status compile(ai8x_network *network, const ai8x_part *part, const ai8x_compile_options *options,
                           ai8x_program **program, ai8x_error *error)
{
	struct plan plan;
	memset(&plan, 0, sizeof plan);
	ai8x_status status = plan_create(network, part, options, &plan, error);
	if (status == AI8X_OK)
		status = network_verify(&plan, network, error);
	if (status == AI8X_OK)
		status = ai8x_program_create(part, network->name, program, error);
	if (status == AI8X_OK)
		status = build(&plan, options->outputs, *program, error);
	if (status == AI8X_OK)
		status = plan_attributes(&plan, *program, error);
	if (status == AI8X_OK)
		status = set_input(network, *program, error);
	plan_release(&plan);
	return status;
}

// --- What does not fit may stream ---------------------------------------------------------------------

// true: the network compiles, without warnings, when its first layers stream. at_fifo: the input lies where FIFOs feed.
static bool compiles_streaming(const ai8x_network *network, const ai8x_part *part,
                               const ai8x_compile_options *options, size_t layers, bool at_fifo)
{
	ai8x_network *copy = NULL;
	ai8x_program *program = NULL;
	ai8x_compile_options streaming = *options;
	streaming.outputs = NULL;
	if (ai8x_network_copy(network, &copy, NULL) != AI8X_OK)
		return false;
	for (size_t i = 0; i < layers; i++)
		copy->layers[i].streaming = true;
	if (at_fifo)
		copy->layers[0].processors = 0;
	const bool compiles = check_and_place(copy, part, &streaming, NULL) == AI8X_OK &&
	                      compile(copy, part, &streaming, &program, NULL) == AI8X_OK &&
	                      copy->warning_count == network->warning_count;
	ai8x_program_destroy(program);
	ai8x_network_destroy(copy);
	return compiles;
}

// true: one of the first images takes a good part of data memory, so that keeping it whole may be the trouble.
static bool has_large_image(const ai8x_network *network, const ai8x_part *part)
{
	for (int source = AI8X_NETWORK_INPUT; source < (int)network->layer_count && source < AI8X_MAX_STREAMS;
	     source++) {
		uint32_t shape[3];
		network_source_shape(network, source, shape);
		if (4 * (uint64_t)image_size(shape[1], shape[2]) * divide_up(shape[0], AI8X_PROCESSORS) >=
		    part->info.data_words)
			return true;
	}
	return false;
}

// Adds to a message that a network cannot be placed how many of its first layers have to stream so that it can.
static void offer_streaming(const ai8x_network *network, const ai8x_part *part,
                            const ai8x_compile_options *options, bool at_fifo, ai8x_error *error)
{
	const bool streams = options->feed == AI8X_FEED_AUTO || options->feed == AI8X_FEED_FIFO;
	if (error == NULL || !streams || options->ignore_streaming || network->first_set > 0 ||
	    network->layers[0].streaming || !has_large_image(network, part))
		return;
	for (size_t n = 1; n <= network->layer_count && n <= AI8X_MAX_STREAMS; n++) {
		if (!compiles_streaming(network, part, options, n, at_fifo))
			continue;
		char which[32] = "layer 0";
		const size_t length = strlen(error->message);
		if (n > 1)
			(void)snprintf(which, sizeof which, "layers 0 %s %zu", n == 2 ? "and" : "to", n - 1);
		(void)snprintf(
			error->message + length, sizeof error->message - length,
			"; with 'streaming: true' in %s it fits: rows are computed as they come through the FIFO", which);
		return;
	}
}

ai8x_status ai8x_network_place(ai8x_network *network, const ai8x_part *part,
                               const ai8x_compile_options *options, ai8x_error *error)
{
	if (network == NULL || part == NULL)
		return error_null(error, network == NULL ? "network" : "part");
	const ai8x_compile_options chosen = effective(options, part);
	const bool at_fifo = network->layers[0].processors == 0;
	ai8x_status status = check_and_place(network, part, &chosen, error);
	if (status == AI8X_ERR_NETWORK)
		offer_streaming(network, part, &chosen, at_fifo, error);
	return status;
}

ai8x_status ai8x_network_compile(ai8x_network *network, const ai8x_part *part,
                                 const ai8x_compile_options *options, ai8x_program **program,
                                 ai8x_error *error)
{
	if (program != NULL)
		*program = NULL;
	if (error_if_null(error, network, part, program))
		return AI8X_ERR_ARGUMENT;
	const ai8x_compile_options chosen = effective(options, part);
	const size_t layers = network->layer_count;
	ai8x_status status = ai8x_network_place(network, part, &chosen, error);
	if (status != AI8X_OK)
		return status;
	if (chosen.outputs != NULL && network->layer_count != layers) {
		return error_set(
			error, AI8X_ERR_ARGUMENT,
			"placement inserted layers that the expected outputs do not have: place first, then compute "
			"them");
	}
	status = compile(network, part, &chosen, program, error);
	if (status == AI8X_ERR_NETWORK)
		offer_streaming(network, part, &chosen, false, error);
	if (status != AI8X_OK) {
		ai8x_program_destroy(*program);
		*program = NULL;
	}
	return status;
}

ai8x_status network_compile_structure(ai8x_network *network, const ai8x_part *part, ai8x_program **program,
                                      ai8x_error *error)
{
	const ai8x_compile_options chosen = effective(NULL, part);
	struct plan plan;
	*program = NULL;
	memset(&plan, 0, sizeof plan);
	ai8x_status status = check_and_place(network, part, &chosen, error);
	if (status == AI8X_OK)
		status = plan_create(network, part, &chosen, &plan, error);
	if (status == AI8X_OK)
		status = network_verify_rules(&plan, network, error);
	if (status == AI8X_OK)
		status = ai8x_program_create(part, network->name, program, error);
	if (status == AI8X_OK)
		status = build(&plan, NULL, *program, error);
	plan_release(&plan);
	if (status != AI8X_OK) {
		ai8x_program_destroy(*program);
		*program = NULL;
	}
	return status;
}
