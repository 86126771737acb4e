// Writes a network's description with everything that was resolved and placed, in the keys that read_yaml.c reads.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory_file.h"
#include "network/network.h"

// Text in double quotes: names may hold anything.
static void put_text(FILE *file, const char *text)
{
	fputc('"', file);
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;
		if (c == '"' || c == '\\')
			fprintf(file, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			fprintf(file, "\\x%02x", c);
		else
			fputc(c, file);
	}
	fputc('"', file);
}

static void put_map(FILE *file, const char *key, uint64_t map)
{
	if (map != 0) {
		fprintf(file, "    %s: 0x%04x.%04x.%04x.%04x\n", key, (unsigned)(map >> 48),
		        (unsigned)(map >> 32 & 0xffff), (unsigned)(map >> 16 & 0xffff), (unsigned)(map & 0xffff));
	}
}

static void put_flag(FILE *file, const char *key, bool value)
{
	if (value)
		fprintf(file, "    %s: true\n", key);
}

static void put_number(FILE *file, const char *key, uint32_t value)
{
	if (value != 0)
		fprintf(file, "    %s: %u\n", key, value);
}

static void put_reference(FILE *file, const ai8x_network *network, const char *key, int position)
{
	if (position == AI8X_NETWORK_STOP)
		fprintf(file, "    %s: stop\n", key);
	else if (position >= 0)
		fprintf(file, "    %s: %u\n", key, network->layers[position].number);
}

static void put_sources(FILE *file, const ai8x_network *network, size_t i)
{
	const ai8x_network_layer *layer = &network->layers[i];
	int previous = i == 0 ? AI8X_NETWORK_INPUT : network_previous(network, i);
	if (layer->source_count == 0 || (layer->source_count == 1 && layer->sources[0] == previous))
		return;
	fputs("    in_sequences: [", file);
	for (unsigned k = 0; k < layer->source_count; k++) {
		int source = layer->sources[k];
		fprintf(file, "%s%d", k == 0 ? "" : ", ", source < 0 ? -1 : (int)network->layers[source].number);
	}
	fputs("]\n", file);
}

static void put_meaning(FILE *file, const ai8x_network *network, size_t i)
{
	const ai8x_network_layer *layer = &network->layers[i];
	bool kernel = layer->operation != AI8X_OP_PASSTHROUGH && layer->operation != AI8X_OP_LINEAR;
	uint32_t flat = layer->flatten ? layer->pooled_rows * layer->pooled_columns : 1;

	fprintf(file, "    operation: %s\n", ai8x_operation_name(layer->operation));
	if (layer->operands > 1)
		fprintf(file, "    eltwise: %s\n    operands: %u\n", ai8x_eltwise_name(layer->eltwise),
		        layer->operands);
	fprintf(file, "    in_channels: %u\n    in_dim: [%u, %u]\n", layer->in_channels * flat, layer->in_rows,
	        layer->in_columns);
	put_number(file, "in_channel_skip", layer->first_channel);
	if (layer->crop_first > 0 || layer->crop_last > 0)
		fprintf(file, "    in_crop: [%u, %u]\n", layer->crop_first, layer->crop_last);
	fprintf(file, "    out_channels: %u\n", layer->out_channels);
	if (layer->pooling != AI8X_POOL_NONE) {
		fprintf(file, "    %s: [%u, %u]\n", layer->pooling == AI8X_POOL_MAX ? "max_pool" : "avg_pool",
		        layer->pool_rows, layer->pool_columns);
	}
	if (layer->pooling != AI8X_POOL_NONE || layer->pool_stride > 1)
		fprintf(file, "    pool_stride: %u\n", layer->pool_stride);
	if (layer->pool_dilation_rows > 1 || layer->pool_dilation_columns > 1) {
		fprintf(file, "    pool_dilation: [%u, %u]\n", layer->pool_dilation_rows,
		        layer->pool_dilation_columns);
	}
	if (!layer->pool_first)
		fputs("    pool_first: false\n", file);
	if (kernel && layer->operation == AI8X_OP_CONV1D)
		fprintf(file, "    kernel_size: %u\n", layer->kernel_rows);
	else if (kernel)
		fprintf(file, "    kernel_size: %ux%u\n", layer->kernel_rows, layer->kernel_columns);
	if (kernel)
		fprintf(file, "    pad: %u\n", layer->pad_rows);
	if (layer->dilation > 1)
		fprintf(file, "    dilation: %u\n", layer->dilation);
	if (layer->groups > 1)
		fprintf(file, "    groups: %u\n", layer->groups);
	put_flag(file, "flatten", layer->flatten);
	put_flag(file, "bypass", layer->bypass);
	if (network_has_weights(layer)) {
		if (layer->weight_bits == -1)
			fputs("    quantization: bin\n", file);
		else
			fprintf(file, "    quantization: %d\n", layer->weight_bits);
	}
	if (layer->operation != AI8X_OP_PASSTHROUGH && layer->shift_given) {
		int bits = layer->weight_bits == -1 ? 1 : layer->weight_bits;
		fprintf(file, "    output_shift: %d\n",
		        layer->output_shift - (network_has_weights(layer) ? 8 - bits : 0));
	}
	if (layer->output_bits == 32)
		fputs("    output_width: 32\n", file);
	if (layer->activation != AI8X_ACTIVATE_NONE)
		fprintf(file, "    activate: %s\n", layer->activation == AI8X_ACTIVATE_RELU ? "ReLU" : "Abs");
	put_reference(file, network, "weight_source",
	              layer->weight_source >= 0 ? layer->weight_source : AI8X_NETWORK_DEFAULT);
}

static void put_bias_groups(FILE *file, uint8_t groups)
{
	const char *separator = "";
	if (groups == 0)
		return;
	fputs("    bias_group: [", file);
	for (unsigned g = 0; g < AI8X_GROUPS; g++) {
		if ((groups >> g & 1) != 0) {
			fprintf(file, "%s%u", separator, g);
			separator = ", ";
		}
	}
	fputs("]\n", file);
}

static void put_placement(FILE *file, const ai8x_network *network, size_t i)
{
	const ai8x_network_layer *layer = &network->layers[i];
	put_map(file, "processors", layer->processors);
	put_map(file, "output_processors", layer->output_processors);
	if (layer->in_offset >= 0)
		fprintf(file, "    in_offset: 0x%04llx\n", (unsigned long long)layer->in_offset);
	if (layer->out_offset >= 0)
		fprintf(file, "    out_offset: 0x%04llx\n", (unsigned long long)layer->out_offset);
	put_number(file, "write_gap", layer->write_gap);
	put_number(file, "read_gap", layer->read_gap);
	if (layer->chw)
		fputs("    data_format: CHW\n", file);
	put_flag(file, "streaming", layer->streaming);
	put_flag(file, "calcx4", layer->calcx4);
	put_flag(file, "readahead", layer->read_ahead);
	if (layer->tcalc != AI8X_NETWORK_DEFAULT)
		fprintf(file, "    tcalc: %s\n", layer->tcalc == 1 ? "true" : "false");
	put_bias_groups(file, layer->bias_groups);
	put_reference(file, network, "next_sequence", layer->next);
	put_reference(file, network, "simulated_sequence", layer->next_simulated);
	put_reference(file, network, "snoop_sequence", layer->next_snoop);
	put_flag(file, "output", layer->output);
}

static void put_network(FILE *file, const ai8x_network *network)
{
	fputs("---\narch: ", file);
	put_text(file, network->arch == NULL ? network->name : network->arch);
	fputs("\ndataset: ", file);
	put_text(file, network->dataset == NULL ? "none" : network->dataset);
	fputc('\n', file);
	if (network->average_rounding)
		fputs("avg_pool_rounding: true\n", file);
	if (network->snoop_given) {
		fputs("snoop: [", file);
		for (unsigned i = 0; i < 32; i++)
			fprintf(file, "%s0x%08x", i == 0 ? "" : ", ", network->snoop[i]);
		fputs("]\n", file);
	}
	fputs("\nlayers:\n", file);
	for (size_t i = 0; i < network->layer_count; i++) {
		fprintf(file, "  - sequence: %u\n", network->layers[i].number);
		if (network->layers[i].name != NULL) {
			fputs("    name: ", file);
			put_text(file, network->layers[i].name);
			fputc('\n', file);
		}
		put_sources(file, network, i);
		put_meaning(file, network, i);
		put_placement(file, network, i);
	}
}

ai8x_status ai8x_network_write_yaml(const ai8x_network *network, const char *path, ai8x_error *error)
{
	if (network == NULL || path == NULL)
		return error_null(error, network == NULL ? "network" : "path");
	struct memory_file memory;
	memory_file_open(&memory);
	if (memory.file == NULL)
		return error_no_memory(error, path);
	put_network(memory.file, network);
	ai8x_status status = memory_file_close(&memory) ? file_write(path, memory.text, memory.size, error)
	                                                : error_no_memory(error, path);
	free(memory.text);
	return status;
}
