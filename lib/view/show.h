// Watching a run: what the page of `ai8xsim show` is made from. One observer, one page.
//
// The sequencer's states are kept for the whole run: pixels of a layer that do the same share a pattern of steps, so
// that a run is a list of segments (one per pixel, or per wait) that is exact to the cycle. What the other blocks do in
// a cycle, with all values, is kept in windows of the run, as many as fit.
#ifndef AI8X_VIEW_SHOW_H
#define AI8X_VIEW_SHOW_H

#include <ai8xsim/view.h>

// Bytes that grow. A failure to grow is remembered.
struct show_bytes {
	uint8_t *data;
	size_t size, capacity;
	bool failed;
};

void show_put(struct show_bytes *bytes, const void *data, size_t size);
void show_put_byte(struct show_bytes *bytes, unsigned value);
void show_put_word(struct show_bytes *bytes, uint32_t value);
// Seven bits a byte, lowest first; signed numbers with their sign in bit 0.
void show_put_number(struct show_bytes *bytes, uint64_t value);
void show_put_signed(struct show_bytes *bytes, int64_t value);
// Writes bytes as JSON: {"size":N,"z":"base64 of the zlib stream"}.
ai8x_status show_write_packed(const struct show_bytes *bytes, FILE *file, ai8x_error *error);

// What the sequencer does at one pixel, or a wait.
struct show_segment {
	uint64_t cycle; // first one
	uint32_t row, column, pattern;
	int32_t layer; // position in the run; -1: the cycle that starts it
};

// A stretch of the run whose events are kept.
struct show_window {
	uint64_t from, to; // to: the cycle after the last one
	size_t first;      // its first byte in the events
};

// Things that occur often, kept once: their bytes one after the other.
struct show_table {
	struct show_bytes bytes;
	size_t *first; // [count]: where each begins
	size_t count, capacity;
	uint32_t *slot; // hash table: index + 1, 0: free
	size_t slots;
	bool failed;
};

// Index of an entry, which is added where it is new (*added, may be NULL).
uint32_t show_table_find(struct show_table *table, const void *data, size_t size, bool *added);
void show_table_release(struct show_table *table);

struct show_request {
	uint64_t from, to;
	size_t quota; // bytes of values
};

// What is known of one run.
struct show_record {
	struct show_segment *segment;
	size_t segment_count, segment_capacity;
	struct show_table patterns; // steps: state, pass, slot, cycles as numbers
	struct show_window *window;
	size_t window_count, window_capacity;
	struct show_bytes events;
	struct show_table operands; // windows and kernels, [taps][64] each
	uint64_t cycles;

	// While recording.
	struct show_bytes pattern; // of the segment in progress
	uint64_t segment_end;
	int32_t position[AI8X_MAX_LAYERS]; // of the layer that started last with this register set
	int32_t started;
	struct show_request *request;
	size_t request_count, request_capacity, request_next;
	size_t quota, used;
	bool open, begun;
	uint64_t current;    // cycle of the last event
	uint64_t open_cycle; // cycle whose events are being kept
	bool failed, too_long;
};

// Most segments of a page: more would make it slow.
#define SHOW_MAX_SEGMENTS (1u << 21)

// Observers of the first run (segments) and of the second (events in the requested windows).
#define SHOW_SEQUENCE_KINDS (AI8X_EVENT_STATE | AI8X_EVENT_LAYER_START)
#define SHOW_DETAIL_KINDS                                                                                    \
	(AI8X_EVENT_STATE | AI8X_EVENT_DATA_READ | AI8X_EVENT_DATA_WRITE | AI8X_EVENT_KERNEL_READ |              \
	 AI8X_EVENT_BIAS_READ | AI8X_EVENT_TRAM_WRITE | AI8X_EVENT_OUTPUT | AI8X_EVENT_FIFO_PUSH |               \
	 AI8X_EVENT_FIFO_POP | AI8X_EVENT_ACCUMULATE)
void show_record_sequence(void *record, const ai8x_event *event);
void show_record_detail(void *record, const ai8x_event *event);
void show_record_end_sequence(struct show_record *record);
void show_record_end_detail(struct show_record *record);
void show_record_release(struct show_record *record);

// Operations of the program in a row that do the same kind of thing.
struct show_load {
	uint8_t kind;         // ai8x_op_kind
	ai8x_location where;  // of the first; unit, group and layer are -1 where they differ
	uint32_t first, last; // addresses
	uint32_t value;       // of the first
	uint64_t count;
	uint64_t units; // bit u: data memory instance or processor u
	uint8_t groups; // bit g: group g
	bool after;     // after the run
};

// A run with all that the page says about it.
struct show_run {
	char *name;
	const ai8x_part *part;
	ai8x_clock clock;
	bool cycles_exact, pass, stopped;
	char message[AI8X_MESSAGE_SIZE];
	uint64_t checks, mismatches;
	size_t layer_count;
	ai8x_layer_report *reports; // without tensors
	ai8x_profile *profile;      // names and shapes, or NULL
	struct show_load *load;
	size_t load_count, load_capacity;
	struct show_record record;
};

struct ai8x_show {
	ai8x_show_options options;
	struct show_run *runs;
	size_t run_count;
};

bool show_load_collect(struct show_run *run, const ai8x_program *program);

// The page's sources, made by the build (web/meson.build).
extern const char show_page_head[], show_page_body[], show_page_script[];

#endif
