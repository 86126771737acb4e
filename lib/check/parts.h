// What each part of a check does with the events of a run, and how it evaluates them. The handle calls the parts;
// no part calls the handle.
#ifndef AI8X_CHECK_PARTS_H
#define AI8X_CHECK_PARTS_H

#include "check/state.h"

// report.c
// Adds `count` to the finding of the same class, severity, layers and group, or makes one.
void report(ai8x_check *check, ai8x_check_class kind, ai8x_severity severity, struct place place,
            uint64_t count, const char *format, ...) __attribute__((format(printf, 6, 7)));
void report_sort(ai8x_check *check);
void report_release(ai8x_check *check);
bool report_has(const ai8x_check *check, ai8x_check_class kind, int layer);

// register_shadow.c
void registers_create(ai8x_check *check);
void registers_written(ai8x_check *check, const struct part_target *target, uint32_t value, bool running);
void registers_evaluate(ai8x_check *check);
uint32_t shadow_field(const ai8x_check *check, enum part_field_id id, unsigned group, uint32_t index);

// planned.c
void plan_run(ai8x_check *check);
void plan_evaluate(ai8x_check *check, ai8x_status status, const char *message);

// kernel_shadow.c
ai8x_status kernels_create(ai8x_check *check);
void kernels_destroy(ai8x_check *check);
void kernels_written(ai8x_check *check, const ai8x_event *event);
void kernels_cleared(ai8x_check *check, unsigned group);
bool kernels_begin_layer(ai8x_check *check, struct layer_state *state);
// Taps whose weights are not zero in any kernel that counts; bit t: tap t.
uint32_t kernels_taps(const ai8x_check *check, const struct layer_state *state, uint32_t pass,
                      unsigned processor);
// Where the kernel of a slot, an input pass and a processor lies (a slot after the last one: where it would); false: it
// has none inside of kernel memory.
bool kernels_locate(const ai8x_check *check, const ai8x_layer *layer, uint32_t row, uint32_t pass,
                    unsigned processor, struct kernel_span *span);
// Words that were loaded and that no layer takes kernels from, among some of a processor's.
bool kernels_unused(const ai8x_check *check, unsigned processor, uint32_t first, uint32_t last);
void kernels_evaluate(ai8x_check *check, bool complete);

// misplaced.c
void misplaced_channels(ai8x_check *check, struct layer_state *state); // before influence is followed
void misplaced_kernels(ai8x_check *check, const struct layer_state *state);
void misplaced_biases(ai8x_check *check, const struct layer_state *state);

// trained.c
void trained_evaluate(ai8x_check *check);

// bias_shadow.c
ai8x_status bias_create(ai8x_check *check);
void bias_destroy(ai8x_check *check);
void bias_written(ai8x_check *check, const struct part_target *target, uint32_t value);
void bias_cleared(ai8x_check *check, unsigned group);
void bias_read(ai8x_check *check, const ai8x_event *event);
void bias_evaluate(ai8x_check *check);

// data_shadow.c
ai8x_status shadow_create(ai8x_check *check);
void shadow_destroy(ai8x_check *check);
void shadow_bus_write(ai8x_check *check, const struct part_target *target, uint32_t value, unsigned bytes);
void shadow_cleared(ai8x_check *check, unsigned group);
void shadow_begin_layer(ai8x_check *check, const ai8x_event *event);
void shadow_end_layer(ai8x_check *check, const ai8x_event *event);
void shadow_read(ai8x_check *check, const ai8x_event *event);
void shadow_write(ai8x_check *check, const ai8x_event *event);
void shadow_bus_read(ai8x_check *check, const struct part_target *target, uint32_t address);

// flow.c
void flow_evaluate(ai8x_check *check, bool complete);

// fifo_traffic.c
void fifo_check_frame(ai8x_check *check);
void fifo_event(ai8x_check *check, const ai8x_event *event);
void fifo_evaluate(ai8x_check *check, ai8x_status status, const char *message);

#endif
