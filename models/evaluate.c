// Measures how well a shipped network does on data it has not seen, every image through the simulator.
//
//   evaluate PART NETWORK.yaml WEIGHTS.h5 HELDOUT.h5 LEAST
//
// For each image the golden model computes what to expect, the network is compiled with that image, and the
// machine runs the program; an expected word that is not there counts as a mismatch. What counts as an answer
// is the largest of the last layer's channels, pixel by pixel. Fails where fewer than LEAST percent of
// the answers are right, or anything differs.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hdf5.h>

#include <ai8xsim/ai8xsim.h>

#include "golden.h"

struct held_out {
	size_t count;
	size_t image_size;
	size_t label_size; // pixels of the output
	int8_t *images;
	uint8_t *labels;
};

struct score {
	unsigned long long right, answers, words, mismatches;
};

static void *read_bytes(hid_t file, const char *name, hid_t type, size_t *count, size_t *each)
{
	hsize_t sides[8] = {0};
	hid_t set = H5Dopen2(file, name, H5P_DEFAULT);
	hid_t space = set < 0 ? -1 : H5Dget_space(set);
	int rank = space < 0 ? -1 : H5Sget_simple_extent_ndims(space);
	void *bytes = NULL;
	if (rank >= 2 && rank <= 8 && H5Sget_simple_extent_dims(space, sides, NULL) >= 0) {
		*count = (size_t)sides[0];
		*each = 1;
		for (int i = 1; i < rank; i++)
			*each *= (size_t)sides[i];
		bytes = malloc(*count * *each + 1);
	}
	if (bytes != NULL && H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes) < 0) {
		free(bytes);
		bytes = NULL;
	}
	if (space >= 0)
		H5Sclose(space);
	if (set >= 0)
		H5Dclose(set);
	return bytes;
}

static bool read_held_out(const char *path, struct held_out *data)
{
	size_t labels = 0;
	*data = (struct held_out){0};
	hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
	if (file < 0)
		return false;
	data->images = read_bytes(file, "images", H5T_NATIVE_INT8, &data->count, &data->image_size);
	data->labels = read_bytes(file, "labels", H5T_NATIVE_UINT8, &labels, &data->label_size);
	H5Fclose(file);
	return data->images != NULL && data->labels != NULL && labels == data->count && labels > 0;
}

static void count_answers(const ai8x_network_tensor *output, const uint8_t *labels, struct score *score)
{
	size_t pixels = (size_t)output->shape[1] * output->shape[2];
	for (size_t pixel = 0; pixel < pixels; pixel++) {
		size_t best = 0;
		for (size_t channel = 1; channel < output->shape[0]; channel++)
			if (output->values[channel * pixels + pixel] > output->values[best * pixels + pixel])
				best = channel;
		score->answers++;
		score->right += best == labels[pixel];
	}
}

static ai8x_status simulate(ai8x_network *network, const ai8x_part *part, const ai8x_network_tensor *outputs,
                            struct score *score, ai8x_error *error)
{
	ai8x_program *program = NULL;
	ai8x_machine *machine = NULL;
	ai8x_runner_result result = {0};
	ai8x_compile_options options = ai8x_compile_options_default();
	options.outputs = outputs;
	ai8x_status status = ai8x_network_compile(network, part, &options, &program, error);
	if (status == AI8X_OK)
		status = ai8x_machine_create(part, NULL, &machine, error);
	if (status == AI8X_OK) {
		ai8x_runner_options run = ai8x_runner_options_default();
		status = ai8x_runner_run(machine, program, &run, &result);
		score->words += result.checks;
		score->mismatches += result.mismatches;
		if (status != AI8X_OK) {
			*error = (ai8x_error){.status = status};
			memcpy(error->message, result.message, sizeof error->message);
		}
		ai8x_runner_result_release(&result);
	}
	ai8x_machine_destroy(machine);
	ai8x_program_destroy(program);
	return status;
}

static ai8x_status evaluate_one(ai8x_network *network, const ai8x_part *part, const struct held_out *data,
                                size_t index, struct score *score, ai8x_error *error)
{
	golden_model *model = NULL;
	ai8x_network_tensor *outputs = NULL;
	memcpy(network->input, data->images + index * data->image_size, data->image_size);
	ai8x_status status = golden_model_create(network, &model, error);
	if (status == AI8X_OK)
		status = golden_model_outputs(model, &outputs, error);
	if (status == AI8X_OK) {
		const ai8x_network_tensor *last = &outputs[network->layer_count - 1];
		if ((size_t)last->shape[1] * last->shape[2] != data->label_size) {
			fprintf(stderr, "evaluate: %zu labels for %u x %u outputs\n", data->label_size, last->shape[1],
			        last->shape[2]);
			status = AI8X_ERR_FORMAT;
		} else {
			count_answers(last, data->labels + index * data->label_size, score);
			status = simulate(network, part, outputs, score, error);
		}
	}
	free(outputs);
	golden_model_destroy(model);
	return status;
}

static int evaluate(const char *part_name, ai8x_network *network, const struct held_out *data, double least)
{
	struct score score = {0};
	ai8x_error error = {0};
	const ai8x_part *part = ai8x_part_find(part_name);
	size_t input_size = (size_t)network->input_shape[0] * network->input_shape[1] * network->input_shape[2];
	if (part == NULL || network->input == NULL || data->image_size != input_size) {
		fprintf(stderr, "evaluate: unknown part, no sample input, or images of another size\n");
		return EXIT_FAILURE;
	}
	// Placing may add layers, which then have expected outputs too.
	if (ai8x_network_place(network, part, NULL, &error) != AI8X_OK) {
		fprintf(stderr, "evaluate: %s\n", error.message);
		return EXIT_FAILURE;
	}
	for (size_t i = 0; i < data->count; i++) {
		if (evaluate_one(network, part, data, i, &score, &error) != AI8X_OK) {
			fprintf(stderr, "evaluate: image %zu: %s\n", i, error.message);
			return EXIT_FAILURE;
		}
	}
	double percent = 100.0 * (double)score.right / (double)score.answers;
	printf("%s: %zu images, %llu of %llu answers right (%.2f %%), %llu words compared, %llu differ\n",
	       network->name, data->count, score.right, score.answers, percent, score.words, score.mismatches);
	return percent >= least && score.words > 0 && score.mismatches == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	if (argc != 6) {
		fprintf(stderr, "usage: evaluate PART NETWORK.yaml WEIGHTS.h5 HELDOUT.h5 LEAST-PERCENT\n");
		return 2;
	}
	golden_use_one_thread();
	struct held_out data;
	ai8x_network *network = NULL;
	ai8x_error error = {0};
	ai8x_network_files files = {.weights = argv[3], .input = argv[3]};
	int result = EXIT_FAILURE;
	if (!read_held_out(argv[4], &data))
		fprintf(stderr, "evaluate: %s: no images and labels of the same number\n", argv[4]);
	else if (ai8x_network_open(argv[2], &files, &network, &error) != AI8X_OK)
		fprintf(stderr, "evaluate: %s\n", error.message);
	else
		result = evaluate(argv[1], network, &data, strtod(argv[5], NULL));
	ai8x_network_destroy(network);
	free(data.images);
	free(data.labels);
	return result;
}
