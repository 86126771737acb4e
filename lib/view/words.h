// What all views share: numbers as people read them, escaping, colours of layers and causes.
#ifndef AI8X_VIEW_WORDS_H
#define AI8X_VIEW_WORDS_H

#include <ai8xsim/view.h>

#define WORD_BYTES 32

// 1234567 as "1,234,567"; returns text.
const char *words_thousands(uint64_t number, char text[WORD_BYTES]);
// Seconds and joules with a fitting unit: "4.56 ms", "215 uJ"; returns text.
const char *words_seconds(double seconds, char text[WORD_BYTES]);
const char *words_joules(double joules, char text[WORD_BYTES]);

// Writes text with the characters escaped that mean something in HTML and SVG.
void words_escape(const char *text, FILE *file);

// Writes a string as JSON, quotes included; bytes that are no UTF-8 become '?'.
void words_json(const char *text, FILE *file);

// Colour of a layer by its position in the run, or of the input.
const char *words_colour(int owner, char text[WORD_BYTES]);

// What ai8x_cause_get() hands out.
#define CAUSES 9
extern const ai8x_cause causes[CAUSES];

// Words of each data memory instance, and of each processor's kernel memory, that pictures show: up to the last one in
// use, in sixteenths of the memory. The rest would only make them flat.
uint32_t draw_data_words(const ai8x_map *map);
uint32_t draw_kernel_words(const ai8x_map *map);

// Who owns most of each stretch of an instance over time: rectangles for both kinds of pictures. Drawn into
// a coordinate system of layer_count + 1 by MAP_ROWS, which stand for draw_data_words().
#define MAP_ROWS 96
// Pale: words that nothing reads again.
void draw_instance(const ai8x_map *map, unsigned instance, FILE *file);
// The axis of time below it names the layer after which each such step begins.
size_t draw_tick_step(const ai8x_map *map);
// Kernel memory, 64 columns by draw_kernel_words().
void draw_kernels(const ai8x_map *map, FILE *file);
// The words that are shown, for a caption: "all 8,192 words", "words 0 to 1,279 of 20,480".
const char *draw_range(uint32_t shown, uint32_t all, char text[64]);

#endif
