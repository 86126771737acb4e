// Outcomes of runs as JSON (docs/run.md).
#include <ai8xsim/view.h>

#include "base/error.h"
#include "base/json.h"

static json_t *layers_json(const ai8x_runner_result *result)
{
	json_t *layers = json_array();
	for (size_t i = 0; i < result->layer_count; i++) {
		const ai8x_runner_layer *layer = &result->layers[i];
		json_t *entry =
			json_pack("{s:I,s:I,s:I,s:b}", "layer", (json_int_t)layer->number, "cycles",
		              (json_int_t)layer->cycles, "macs", (json_int_t)layer->macs, "pass", (int)layer->pass);
		if (json_array_append_new(layers, entry) != 0) {
			json_decref(layers);
			return NULL;
		}
	}
	return layers;
}

// Nothing is known of the cycles of a program that did not start.
static const char *cycles_are(const ai8x_run_report *report)
{
	if (report->error != NULL && report->result->layer_count == 0)
		return NULL;
	return report->result->cycles_exact ? "exact" : "estimate";
}

static json_t *report_json(const ai8x_run_report *report)
{
	const ai8x_runner_result *result = report->result;
	// A run that compared nothing is no proof of anything.
	const bool pass = report->error == NULL && result->pass && result->checks > 0;
	const char *are = cycles_are(report);
	json_t *cycles_error = are != NULL ? json_real(ai8x_cycles_error(report->part, NULL)) : json_null();
	return json_pack("{s:o,s:o,s:o,s:b,s:I,s:I,s:I,s:o,s:o,s:f,s:o,s:o}", "file", json_text(report->file),
	                 "name", json_text(report->name), "part",
	                 json_text(report->part != NULL ? ai8x_part_get_info(report->part)->name : NULL), "pass",
	                 (int)pass, "checks", (json_int_t)result->checks, "mismatches",
	                 (json_int_t)result->mismatches, "cycles", (json_int_t)result->cycles, "cycles_are",
	                 json_text(are), "cycles_error", cycles_error, "seconds", report->seconds, "error",
	                 json_text(report->error), "layers", layers_json(result));
}

ai8x_status ai8x_run_json(const ai8x_run_report *reports, size_t count, FILE *file, ai8x_error *error)
{
	if ((reports == NULL && count > 0) || file == NULL)
		return error_null(error, file == NULL ? "file" : "reports");
	json_t *programs = json_array();
	bool complete = programs != NULL;
	for (size_t i = 0; i < count && complete; i++)
		complete = json_array_append_new(programs, report_json(&reports[i])) == 0;
	json_t *root = complete ? json_pack("{s:i,s:O}", "version", 1, "programs", programs) : NULL;
	json_decref(programs);
	return json_write(root, file, error);
}
