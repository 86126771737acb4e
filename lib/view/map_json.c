// A map of all memories as JSON (docs/profile.md). Owners and readers are register sets, as from the first version on;
// "layers" has the program's number of each.
#include <ai8xsim/view.h>

#include "base/error.h"
#include "base/json.h"

static json_t *json_of_runs(const ai8x_map *map, const ai8x_map_runs *runs, const char *unit)
{
	json_t *list = json_array();
	for (size_t i = 0; i < runs->count; i++) {
		const ai8x_map_run *run = &runs->run[i];
		json_t *owner =
			run->owner == AI8X_MAP_INPUT ? json_string("input") : json_integer(map->layers[run->owner]);
		json_push(list, json_pack("{s:i, s:I, s:I, s:o}", unit, (int)run->unit, "first",
		                          (json_int_t)run->first, "count", (json_int_t)run->count, "owner", owner));
	}
	return list;
}

ai8x_status ai8x_map_json(const ai8x_map *map, FILE *file, ai8x_error *error)
{
	if (map == NULL || file == NULL)
		return error_null(error, map == NULL ? "map" : "file");
	json_t *data = json_array(), *reads = json_array(), *layers = json_array();
	const size_t sources = map->layer_count + 1;
	for (size_t i = 0; i <= map->layer_count; i++) {
		json_t *after = i == 0 ? json_null() : json_integer(map->layers[i - 1]);
		json_push(data, json_pack("{s:o, s:o}", "behind", after, "runs",
		                          json_of_runs(map, &map->data[i], "instance")));
	}
	for (size_t i = 0; i < map->layer_count; i++) {
		json_t *from = json_array();
		json_push(layers, json_pack("{s:I, s:I}", "register_set", (json_int_t)map->layers[i], "number",
		                            (json_int_t)map->numbers[i]));
		for (size_t k = 0; k < sources; k++)
			if (map->reads[i * sources + k])
				json_push(from, k == 0 ? json_string("input") : json_integer(map->layers[k - 1]));
		json_push(reads, json_pack("{s:I, s:o}", "layer", (json_int_t)map->layers[i], "from", from));
	}
	return json_write(json_pack("{s:i, s:s, s:o, s:o, s:o, s:o, s:o}", "version", 1, "part",
	                            ai8x_part_get_info(map->part)->name, "layers", layers, "data", data,
	                            "kernels", json_of_runs(map, &map->kernels, "processor"), "bias",
	                            json_of_runs(map, &map->bias, "group"), "reads", reads),
	                  file, error);
}
