// Findings of checks as JSON (docs/check.md).
#include <ai8xsim/view.h>

#include "base/error.h"
#include "base/json.h"

static json_t *finding_json(const ai8x_finding *finding)
{
	const ai8x_check_class_info *info = ai8x_check_class_get(finding->kind);
	return json_pack("{s:s,s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:I,s:o,s:s}", "severity",
	                 ai8x_severity_name(finding->severity), "class", info->name, "title", info->title,
	                 "layer", json_number_or_null(finding->layer), "other_layer",
	                 json_number_or_null(finding->other_layer), "group", json_number_or_null(finding->group),
	                 "processor", json_number_or_null(finding->processor), "address",
	                 finding->has_address ? json_integer(finding->address) : json_null(), "channel",
	                 json_number_or_null(finding->channel), "row", json_number_or_null(finding->row),
	                 "column", json_number_or_null(finding->column), "count", (json_int_t)finding->count,
	                 "cause", json_text(finding->cause), "remedy", finding->remedy);
}

static json_t *layer_json(const ai8x_check_layer *layer)
{
	const ai8x_counters *counters = &layer->counters;
	return json_pack("{s:i,s:b,s:i,s:I,s:I,s:I,s:I,s:I,s:i,s:i}", "layer", (int)layer->index, "finished",
	                 (int)layer->finished, "output_bits", (int)layer->output_bits, "outputs",
	                 (json_int_t)counters->outputs, "clipped_low", (json_int_t)counters->clipped_low,
	                 "clipped_high", (json_int_t)counters->clipped_high, "accumulator_min",
	                 (json_int_t)counters->accumulator_min, "accumulator_max",
	                 (json_int_t)counters->accumulator_max, "slots", (int)layer->slots, "slots_used",
	                 (int)layer->slots_used);
}

static bool append(json_t *array, json_t *value)
{
	return value != NULL && json_array_append_new(array, value) == 0;
}

static bool selected(const ai8x_check_report *report, const ai8x_finding *finding)
{
	return report->classes == NULL || report->classes[finding->kind];
}

static json_t *report_json(const ai8x_check_report *report)
{
	json_t *findings = json_array(), *layers = json_array();
	bool complete = findings != NULL && layers != NULL;
	int counts[AI8X_SEVERITY_ERROR + 1] = {0};
	for (size_t i = 0; report->check != NULL && complete && i < ai8x_check_count(report->check); i++) {
		const ai8x_finding *finding = ai8x_check_get(report->check, i);
		if (!selected(report, finding))
			continue;
		counts[finding->severity]++;
		complete = append(findings, finding_json(finding));
	}
	for (size_t i = 0; report->check != NULL && complete && i < ai8x_check_layer_count(report->check); i++)
		complete = append(layers, layer_json(ai8x_check_layer_get(report->check, i)));
	json_t *program = NULL;
	if (complete)
		program = json_pack("{s:o,s:o,s:o,s:o,s:i,s:i,s:i,s:O,s:O}", "file", json_text(report->file), "name",
		                    json_text(report->name), "part",
		                    json_text(report->part != NULL ? ai8x_part_get_info(report->part)->name : NULL),
		                    "error", json_text(report->error), "errors", counts[AI8X_SEVERITY_ERROR],
		                    "warnings", counts[AI8X_SEVERITY_WARNING], "infos", counts[AI8X_SEVERITY_INFO],
		                    "findings", findings, "layers", layers);
	json_decref(findings);
	json_decref(layers);
	return program;
}

ai8x_status ai8x_check_json(const ai8x_check_report *reports, size_t count, FILE *file, ai8x_error *error)
{
	if ((reports == NULL && count > 0) || file == NULL)
		return error_null(error, file == NULL ? "file" : "reports");
	json_t *programs = json_array();
	bool complete = programs != NULL;
	for (size_t i = 0; i < count && complete; i++)
		complete = append(programs, report_json(&reports[i]));
	json_t *root = complete ? json_pack("{s:i,s:O}", "version", 1, "programs", programs) : NULL;
	json_decref(programs);
	return json_write(root, file, error);
}
