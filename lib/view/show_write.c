// The page of `ai8xsim show`: its sources as the build made them, with the runs as JSON between them.
#include "view/show.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "layer/geometry.h"
#include "view/words.h"

struct page {
	FILE *file;
	const struct show_run *run;
	bool comma; // something is before the next member
};

static void key(struct page *page, const char *name)
{
	(void)fprintf(page->file, "%s\"%s\":", page->comma ? "," : "", name);
	page->comma = true;
}

static void put_number(struct page *page, const char *name, int64_t value)
{
	key(page, name);
	(void)fprintf(page->file, "%" PRId64, value);
}

// Maps of processors have 64 bits, more than numbers of JavaScript hold exactly.
static void put_map(struct page *page, const char *name, uint64_t bits)
{
	key(page, name);
	(void)fprintf(page->file, "\"%016" PRIx64 "\"", bits);
}

static void put_flag(struct page *page, const char *name, bool value)
{
	key(page, name);
	(void)fputs(value ? "true" : "false", page->file);
}

static void put_text(struct page *page, const char *name, const char *text)
{
	key(page, name);
	words_json(text, page->file);
}

static void put_numbers(struct page *page, const char *name, const uint64_t *values, size_t count)
{
	key(page, name);
	for (size_t i = 0; i < count; i++)
		(void)fprintf(page->file, "%s%" PRIu64, i == 0 ? "[" : ",", values[i]);
	(void)fputc(']', page->file);
}

static void put_groups(struct page *page, const char *name, const uint32_t values[AI8X_GROUPS])
{
	uint64_t wide[AI8X_GROUPS];
	for (unsigned g = 0; g < AI8X_GROUPS; g++)
		wide[g] = values[g];
	put_numbers(page, name, wide, AI8X_GROUPS);
}

static ai8x_status put_packed(struct page *page, const char *name, const struct show_bytes *bytes,
                              ai8x_error *error)
{
	key(page, name);
	return show_write_packed(bytes, page->file, error);
}

static void begin(struct page *page, char bracket)
{
	(void)fputc(bracket, page->file);
	page->comma = false;
}

static void end(struct page *page, char bracket)
{
	(void)fputc(bracket, page->file);
	page->comma = true;
}

static void next(struct page *page)
{
	if (page->comma)
		(void)fputc(',', page->file);
	page->comma = true;
}

// --- Layers --------------------------------------------------------------------------------------------

static void put_input(struct page *page, const ai8x_layer *layer)
{
	put_map(page, "processors", layer->processors);
	put_map(page, "kernelProcessors", layer->kernel_processors);
	put_flag(page, "chw", layer->chw);
	put_number(page, "rows", layer->rows);
	put_number(page, "columns", layer->columns);
	put_number(page, "passes", layer->passes);
	put_number(page, "operands", layer->operands);
	put_text(page, "eltwise", ai8x_eltwise_name(layer->eltwise));
	put_flag(page, "poolFirst", layer->pool_first);
	put_groups(page, "readBase", layer->read_base);
	put_number(page, "pixelStep", layer->pixel_step);
	put_text(page, "pooling", ai8x_pooling_name(layer->pooling));
	put_number(page, "poolRows", layer->pool_rows);
	put_number(page, "poolColumns", layer->pool_columns);
	put_number(page, "poolStride", layer->pool_stride);
	put_number(page, "poolDilationRows", layer->pool_dilation_rows);
	put_number(page, "poolDilationColumns", layer->pool_dilation_columns);
	put_number(page, "pooledRows", layer->pooled_rows);
	put_number(page, "pooledColumns", layer->pooled_columns);
	put_number(page, "ringWords", layer->ring_words);
}

static void put_operation(struct page *page, const ai8x_layer *layer)
{
	put_text(page, "operation", ai8x_operation_name(layer->operation));
	put_number(page, "padRows", layer->pad_rows);
	put_number(page, "padColumns", layer->pad_columns);
	put_number(page, "kernelRows", layer->kernel_rows);
	put_number(page, "kernelColumns", layer->kernel_columns);
	put_flag(page, "transposed", layer->transposed);
	put_flag(page, "flatten", layer->flatten);
	put_flag(page, "depthwise", layer->depthwise);
	put_flag(page, "calcx4", layer->calcx4);
	put_flag(page, "fanout", layer->quad_fanout);
	put_flag(page, "bypass", layer->bypass);
	put_number(page, "tcalc", layer->tcalc ? 4 : 1);
	put_number(page, "weightBits", layer->weight_bits);
	put_number(page, "biasGroups", layer->bias_groups);
	put_number(page, "outputBits", layer->output_bits);
	put_number(page, "outputShift", layer->output_shift);
	put_text(page, "activation", ai8x_activation_name(layer->activation));
}

// Bits of the kernel memory's stream at which the groups' processors find the kernel of each slot and pass. Each against
// the one before: that packs best.
static void pack_kernels(const ai8x_layer *layer, struct show_bytes *bytes)
{
	const uint32_t slots = layer->depthwise ? 1 : ai8x_layer_output_slots(layer);
	for (unsigned g = 0; g < AI8X_GROUPS; g++) {
		int64_t before = 0;
		for (uint32_t i = 0; i < slots * layer->passes; i++) {
			const struct layer_kernel at = layer_kernel_at(layer, g, i / layer->passes, i % layer->passes);
			const int64_t bit = 8 * (int64_t)at.byte + at.bit;
			show_put_signed(bytes, bit - before);
			before = bit;
		}
	}
}

static ai8x_status put_kernels(struct page *page, const ai8x_layer *layer, ai8x_error *error)
{
	struct show_bytes bytes = {0};
	if (layer_has_kernels(layer) && !layer->bypass)
		pack_kernels(layer, &bytes);
	ai8x_status status = put_packed(page, "kernelBits", &bytes, error);
	free(bytes.data);
	return status;
}

static void put_output(struct page *page, const ai8x_layer *layer)
{
	put_number(page, "groups", layer->groups);
	put_number(page, "master", layer->master);
	put_number(page, "outputRows", layer->output_rows);
	put_number(page, "outputColumns", layer->output_columns);
	put_number(page, "slots", ai8x_layer_output_slots(layer));
	put_number(page, "slotsPerPass", layer->slots_per_pass);
	put_number(page, "outputPasses", layer->output_passes);
	put_number(page, "writeMode", layer->write_mode);
	put_groups(page, "writeWord", layer->write_word);
	put_flag(page, "fifo", layer->fifo);
	put_flag(page, "streaming", layer->streaming);
	// Where each slot of pixel 0 goes; pixels are pixelWords apart.
	key(page, "places");
	ai8x_output_place place, beside = ai8x_layer_place(layer, 0, 1);
	for (uint32_t slot = 0; slot < ai8x_layer_output_slots(layer); slot++) {
		place = ai8x_layer_place(layer, slot, 0);
		(void)fprintf(page->file, "%s%u,%" PRIu32 ",%u", slot == 0 ? "[" : ",", place.instance, place.word,
		              place.lane);
	}
	(void)fputs(ai8x_layer_output_slots(layer) == 0 ? "[]" : "]", page->file);
	place = ai8x_layer_place(layer, 0, 0);
	put_number(page, "pixelWords", (int64_t)beside.word - (int64_t)place.word);
}

static ai8x_status put_layer(struct page *page, size_t position, ai8x_error *error)
{
	const struct show_run *run = page->run;
	const ai8x_layer_report *report = &run->reports[position];
	const ai8x_profile_layer *known = run->profile != NULL ? &run->profile->layers[position] : NULL;
	char sentence[AI8X_MESSAGE_SIZE];
	next(page);
	begin(page, '{');
	put_number(page, "index", report->layer.index);
	put_number(page, "number", known != NULL ? known->number : report->layer.index);
	put_text(page, "name", known != NULL ? known->name : "");
	put_text(page, "shape", known != NULL ? known->shape : "");
	put_text(page, "does", known != NULL ? known->operation : ai8x_operation_name(report->layer.operation));
	(void)ai8x_layer_describe(&report->layer, sentence, sizeof sentence);
	put_text(page, "sentence", sentence);
	put_flag(page, "finished", report->finished);
	put_number(page, "start", (int64_t)report->start_cycle);
	put_number(page, "cycles", (int64_t)report->cycles);
	put_number(page, "macs", (int64_t)ai8x_layer_macs(&report->layer));
	const ai8x_counters *counters = &report->counters;
	put_numbers(page, "states", counters->state, AI8X_STATE_COUNT);
	put_number(page, "passCycles", (int64_t)counters->pass_cycles);
	put_number(page, "wordsRead", (int64_t)counters->words_read);
	put_number(page, "wordsWritten", (int64_t)counters->words_written);
	put_number(page, "outputs", (int64_t)counters->outputs);
	put_number(page, "clippedLow", (int64_t)counters->clipped_low);
	put_number(page, "clippedHigh", (int64_t)counters->clipped_high);
	put_number(page, "sumMin", counters->accumulator_min);
	put_number(page, "sumMax", counters->accumulator_max);
	put_input(page, &report->layer);
	put_operation(page, &report->layer);
	put_output(page, &report->layer);
	ai8x_status status = put_kernels(page, &report->layer, error);
	end(page, '}');
	return status;
}

// --- Runs ----------------------------------------------------------------------------------------------

static void put_load(struct page *page, const struct show_load *load)
{
	next(page);
	begin(page, '{');
	put_text(page, "kind", ai8x_op_kind_name(load->kind));
	put_text(page, "region", load->where.region);
	put_text(page, "name", load->where.name != NULL ? load->where.name : "");
	put_number(page, "group", load->where.group);
	put_number(page, "unit", load->where.unit);
	put_number(page, "layer", load->where.layer);
	put_number(page, "first", load->first);
	put_number(page, "last", load->last);
	put_number(page, "value", load->value);
	put_number(page, "count", (int64_t)load->count);
	put_map(page, "units", load->units);
	put_number(page, "groups", load->groups);
	put_flag(page, "after", load->after);
	end(page, '}');
}

static void put_windows(struct page *page, const struct show_record *record)
{
	key(page, "windows");
	for (size_t i = 0; i < record->window_count; i++) {
		const struct show_window *window = &record->window[i];
		(void)fprintf(page->file, "%s[%" PRIu64 ",%" PRIu64 ",%zu]", i == 0 ? "[" : ",", window->from,
		              window->to, window->first);
	}
	(void)fputs(record->window_count == 0 ? "[]" : "]", page->file);
}

// Each number against that of the segment before, one kind of number after the other: that packs best.
static void pack_segments(const struct show_record *record, struct show_bytes *bytes)
{
	const struct show_segment none = {0}, *segment = record->segment;
	for (size_t i = 0; i < record->segment_count; i++)
		show_put_number(bytes, segment[i].pattern);
	for (size_t i = 0; i < record->segment_count; i++)
		show_put_signed(bytes, segment[i].layer - (i > 0 ? segment[i - 1] : none).layer);
	for (size_t i = 0; i < record->segment_count; i++)
		show_put_signed(bytes, (int64_t)segment[i].row - (i > 0 ? segment[i - 1] : none).row);
	for (size_t i = 0; i < record->segment_count; i++)
		show_put_signed(bytes, (int64_t)segment[i].column - (i > 0 ? segment[i - 1] : none).column);
}

// Lengths in bytes before the bytes, so that entries can be told apart.
static void pack_table(const struct show_table *table, struct show_bytes *bytes)
{
	show_put_number(bytes, table->count);
	for (size_t i = 0; i < table->count; i++)
		show_put_number(bytes,
		                (i + 1 < table->count ? table->first[i + 1] : table->bytes.size) - table->first[i]);
	show_put(bytes, table->bytes.data, table->bytes.size);
}

static ai8x_status put_record(struct page *page, const struct show_record *record, ai8x_error *error)
{
	struct show_bytes segments = {0}, patterns = {0}, operands = {0};
	pack_segments(record, &segments);
	pack_table(&record->patterns, &patterns);
	pack_table(&record->operands, &operands);
	put_number(page, "segmentCount", (int64_t)record->segment_count);
	ai8x_status status = put_packed(page, "segments", &segments, error);
	if (status == AI8X_OK)
		status = put_packed(page, "patterns", &patterns, error);
	if (status == AI8X_OK)
		status = put_packed(page, "operands", &operands, error);
	if (status == AI8X_OK)
		status = put_packed(page, "events", &record->events, error);
	put_windows(page, record);
	free(segments.data);
	free(patterns.data);
	free(operands.data);
	return status;
}

static ai8x_status put_run(struct page *page, const struct show_run *run, ai8x_error *error)
{
	const ai8x_part_info *part = ai8x_part_get_info(run->part);
	page->run = run;
	next(page);
	begin(page, '{');
	put_text(page, "name", run->name);
	put_text(page, "part", part->name);
	put_text(page, "clock", run->clock.name);
	put_number(page, "hz", run->clock.hz);
	put_number(page, "peak", ai8x_peak_macs(run->part));
	put_number(page, "dataBase", part->data_base);
	put_number(page, "groupStride",
	           (int64_t)ai8x_part_data_address(run->part, AI8X_INSTANCES / AI8X_GROUPS, 0) - part->data_base);
	put_number(page, "instanceStride", (int64_t)ai8x_part_data_address(run->part, 1, 0) - part->data_base);
	put_number(page, "dataWords", part->data_words);
	put_number(page, "kernelWords", part->kernel_words);
	unsigned networks = 0;
	const double cycles_error = ai8x_cycles_error(run->part, &networks);
	put_flag(page, "exact", run->cycles_exact);
	key(page, "cyclesError");
	(void)fprintf(page->file, "%.4f", cycles_error);
	put_number(page, "cyclesNetworks", networks);
	put_flag(page, "pass", run->pass);
	put_flag(page, "stopped", run->stopped);
	put_text(page, "message", run->message);
	put_number(page, "checks", (int64_t)run->checks);
	put_number(page, "mismatches", (int64_t)run->mismatches);
	put_number(page, "cycles", (int64_t)run->record.cycles);
	key(page, "load");
	begin(page, '[');
	for (size_t i = 0; i < run->load_count; i++)
		put_load(page, &run->load[i]);
	end(page, ']');
	key(page, "layers");
	begin(page, '[');
	ai8x_status status = AI8X_OK;
	for (size_t i = 0; i < run->layer_count && status == AI8X_OK; i++)
		status = put_layer(page, i, error);
	end(page, ']');
	if (status == AI8X_OK)
		status = put_record(page, &run->record, error);
	end(page, '}');
	return status;
}

static void put_tables(struct page *page)
{
	key(page, "states");
	begin(page, '[');
	for (unsigned s = 0; s < AI8X_STATE_COUNT; s++) {
		next(page);
		words_json(ai8x_state_name((ai8x_state)s), page->file);
	}
	end(page, ']');
	key(page, "causes");
	begin(page, '[');
	for (unsigned c = 0; c < CAUSES; c++) {
		next(page);
		begin(page, '{');
		put_text(page, "name", causes[c].name);
		put_text(page, "key", causes[c].letter);
		put_text(page, "colour", causes[c].colour);
		put_number(page, "states", causes[c].states);
		end(page, '}');
	}
	end(page, ']');
}

static void write_title(const ai8x_show *show, FILE *file)
{
	if (show->options.title != NULL) {
		words_escape(show->options.title, file);
		return;
	}
	for (size_t i = 0; i < show->run_count; i++) {
		(void)fputs(i > 0 ? ", " : "", file);
		words_escape(show->runs[i].name, file);
	}
}

// "<" occurs in texts only; it may not end the script that holds them.
static void write_tour(const char *tour, FILE *file)
{
	for (const char *at = tour != NULL ? tour : "null"; *at != '\0'; at++)
		if (*at == '<')
			(void)fputs("\\u003c", file);
		else
			(void)fputc(*at, file);
}

ai8x_status ai8x_show_write(const ai8x_show *show, FILE *file, ai8x_error *error)
{
	if (show == NULL || file == NULL)
		return error_null(error, show == NULL ? "show" : "file");
	if (ai8x_show_count(show) == 0)
		return error_set(error, AI8X_ERR_ARGUMENT, "a page needs a run: none was added");
	struct page page = {.file = file};
	ai8x_status status = AI8X_OK;
	(void)fprintf(file, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
	                    "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>");
	write_title(show, file);
	(void)fputs("</title>\n", file);
	(void)fputs(show_page_head, file);
	(void)fputs("</head><body>\n", file);
	(void)fputs(show_page_body, file);
	(void)fputs("<script type=\"application/json\" id=\"data\">", file);
	begin(&page, '{');
	put_tables(&page);
	key(&page, "tour");
	write_tour(show->options.tour, file);
	key(&page, "runs");
	begin(&page, '[');
	for (size_t i = 0; i < show->run_count && status == AI8X_OK; i++)
		status = put_run(&page, &show->runs[i], error);
	end(&page, ']');
	end(&page, '}');
	(void)fputs("</script>\n", file);
	(void)fputs(show_page_script, file);
	(void)fputs("</body></html>\n", file);
	if (status == AI8X_OK && (fflush(file) != 0 || ferror(file) != 0))
		return error_set(error, AI8X_ERR_IO, "the page could not be written: %s", strerror(errno));
	return status;
}
