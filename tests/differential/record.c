// Writes a failing trial down: what a developer needs to see it fail without drawing it again.
#include "trial.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char *const value_names[VALUES_KINDS] = {"uniform", "extreme", "small"};

static const char *feed_option(ai8x_network_feed feed)
{
	switch (feed) {
	case AI8X_FEED_FIFO:
		return " --fifo";
	case AI8X_FEED_FAST_FIFO:
		return " --fast-fifo";
	case AI8X_FEED_FAST_FIFO_QUAD:
		return " --fast-fifo-quad";
	default:
		return "";
	}
}

static void write_report(FILE *file, const struct trial *trial, const struct verdict *first,
                         const struct verdict *verdict, unsigned layers)
{
	const ai8x_compile_options *options = &trial->options;
	const char *part = ai8x_part_get_info(trial->part)->name;
	fprintf(file,
	        "Network %" PRIu64 " for the %s (drawn after %u refusals), values %s, FIFO pace %" PRIu32 ".\n\n",
	        trial->number, part, trial->attempt, value_names[trial->values], trial->pace);
	fprintf(file, "As drawn: %s\n  %s\n\n", outcome_name(first->outcome), first->text);
	fprintf(file, "Shrunk to %u layer%s: %s\n  %s\n\n", layers, layers == 1 ? "" : "s",
	        outcome_name(verdict->outcome), verdict->text);
	fprintf(
		file, "  ai8xsim compile network.yaml --part %s --weights weights.h5%s%s%s%s%s%s%s%s -o program.h5\n",
		part, feed_option(options->feed),
		options->kernel_load == AI8X_KERNELS_PLAIN ? " --plain-kernels" : "",
		options->pipeline ? "" : " --no-pipeline",
		options->write_zero_registers ? " --write-zero-registers" : "",
		options->ignore_streaming ? " --ignore-streaming" : "", options->link_layers ? " --link-layer" : "",
		options->first_words_first ? " --kernels-from-0" : "",
		trial->network->average_rounding ? " --avg-pool-rounding" : "");
	fprintf(file, "  ai8xsim run --per-layer --engine exact program.h5\n");
	fprintf(file, "  differential --part %s --seed %" PRIu64 " --count 1\n", part, trial->number);
}

ai8x_status trial_record(struct judge *judge, const struct trial *trial, const struct verdict *first,
                         const struct verdict *verdict, const char *folder, char *path, size_t size,
                         ai8x_error *error)
{
	char file[4096];
	struct trial_products products = {0};
	struct verdict again;
	(void)snprintf(path, size, "%s/%s-%" PRIu64, folder, ai8x_part_get_info(trial->part)->name,
	               trial->number);
	if (mkdir(path, 0777) != 0 && errno != EEXIST) {
		(void)snprintf(error->message, sizeof error->message, "%s: %s", path, strerror(errno));
		return error->status = AI8X_ERR_IO;
	}
	trial_judge(judge, trial, &again, &products);
	ai8x_status status = AI8X_OK;
	if (products.network != NULL) {
		(void)snprintf(file, sizeof file, "%s/network.yaml", path);
		status = ai8x_network_write_yaml(products.network, file, error);
	}
	if (status == AI8X_OK && products.network != NULL && products.network->input != NULL) {
		(void)snprintf(file, sizeof file, "%s/weights.h5", path);
		status = ai8x_network_write_weights(products.network, file, error);
	}
	if (status == AI8X_OK && products.program != NULL) {
		(void)snprintf(file, sizeof file, "%s/program.h5", path);
		status = ai8x_program_save(products.program, file, error);
	}
	(void)snprintf(file, sizeof file, "%s/report.txt", path);
	FILE *report = fopen(file, "w");
	if (report != NULL)
		write_report(report, trial, first, verdict, (unsigned)trial->network->layer_count);
	if (report == NULL || fclose(report) != 0) {
		(void)snprintf(error->message, sizeof error->message, "%.400s: cannot be written", file);
		status = error->status = AI8X_ERR_IO;
	}
	trial_products_release(&products);
	return status;
}
