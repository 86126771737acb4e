// Results of a sweep as CSV and HDF5: one row per point, a column for each axis, then what it costs.
#include <stdlib.h>
#include <string.h>

#include <ai8xsim/part.h>
#include <ai8xsim/time.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "program/hdf5_image.h"
#include "sweep/spec.h"

// Quoted where CSV (RFC 4180) needs it. Tables are also looked at on terminals, and rows are lines.
static void put_cell(const char *cell, FILE *file)
{
	char text[AI8X_MESSAGE_SIZE];
	(void)snprintf(text, sizeof text, "%s", cell);
	text_make_plain(text);
	if (strpbrk(text, ",\"") == NULL) {
		(void)fputs(text, file);
		return;
	}
	(void)fputc('"', file);
	for (const char *at = text; *at != '\0'; at++) {
		if (*at == '"')
			(void)fputc('"', file);
		(void)fputc(*at, file);
	}
	(void)fputc('"', file);
}

static bool is_whole(const struct sweep_measure *measure)
{
	return strcmp(measure->key, "seconds") != 0 && strcmp(measure->key, "joules") != 0;
}

void ai8x_sweep_csv(const ai8x_sweep *sweep, FILE *file)
{
	if (sweep == NULL || file == NULL)
		return;
	for (size_t a = 0; a < sweep->axis_count; a++) {
		put_cell(sweep->axes[a].name, file);
		(void)fputc(',', file);
	}
	(void)fputs("device,status", file);
	for (const struct sweep_measure *measure = sweep_measures(); measure->key != NULL; measure++)
		(void)fprintf(file, ",%s", measure->key);
	(void)fputs(",cycles_are,cycles_error,best,message\n", file);
	for (size_t i = 0; i < sweep->point_count; i++) {
		const ai8x_sweep_point *point = &sweep->points[i];
		for (size_t a = 0; a < sweep->axis_count; a++) {
			put_cell(ai8x_sweep_value(sweep, i, a), file);
			(void)fputc(',', file);
		}
		(void)fprintf(file, "%s,%s", point->part, ai8x_status_name(point->status));
		for (const struct sweep_measure *measure = sweep_measures(); measure->key != NULL; measure++) {
			// What a network that cannot run costs is not 0.
			if (point->status != AI8X_OK)
				(void)fputc(',', file);
			else
				(void)fprintf(file, is_whole(measure) ? ",%.0f" : ",%.9g", measure->of(point));
		}
		const ai8x_part *part = ai8x_part_find(point->part);
		if (point->status != AI8X_OK)
			(void)fputs(",,", file);
		else
			(void)fprintf(file, ",%s,%g", ai8x_part_get_info(part)->cycles_exact ? "exact" : "estimate",
			              ai8x_cycles_error(part, NULL));
		(void)fprintf(file, ",%d,", point->best);
		put_cell(point->message, file);
		(void)fputc('\n', file);
	}
}

// --- HDF5 --------------------------------------------------------------------------------------------

static bool write_set(hid_t file, const char *name, hid_t type, hid_t memory, size_t count,
                      const void *values)
{
	const hsize_t side = count;
	hid_t list = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(1, &side, NULL);
	(void)H5Pset_obj_track_times(list, false);
	hid_t set = H5Dcreate2(file, name, type, space, H5P_DEFAULT, list, H5P_DEFAULT);
	bool ok = set >= 0 && H5Dwrite(set, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0;
	ok = (set < 0 || H5Dclose(set) >= 0) && ok;
	(void)H5Sclose(space);
	(void)H5Pclose(list);
	return ok;
}

static bool write_texts(hid_t file, const char *name, size_t count, size_t width, const char *texts)
{
	hid_t type = H5Tcopy(H5T_C_S1);
	(void)H5Tset_size(type, width);
	(void)H5Tset_cset(type, H5T_CSET_UTF8);
	const bool ok = write_set(file, name, type, type, count, texts);
	(void)H5Tclose(type);
	return ok;
}

static bool write_axes(const ai8x_sweep *sweep, hid_t file, char *texts)
{
	enum { WIDTH = sizeof sweep->axes[0].values[0].label };
	hid_t list = H5Pcreate(H5P_GROUP_CREATE);
	(void)H5Pset_obj_track_times(list, false);
	hid_t group = H5Gcreate2(file, "axes", H5P_DEFAULT, list, H5P_DEFAULT);
	(void)H5Pclose(list);
	bool ok = group >= 0;
	for (size_t a = 0; a < sweep->axis_count && ok; a++) {
		char name[SWEEP_PATH];
		for (size_t i = 0; i < sweep->point_count; i++)
			memcpy(texts + i * WIDTH, ai8x_sweep_value(sweep, i, a), WIDTH);
		// A slash would make a group.
		(void)snprintf(name, sizeof name, "%s", sweep->axes[a].name);
		for (char *slash = strchr(name, '/'); slash != NULL; slash = strchr(slash, '/'))
			*slash = '_';
		ok = write_texts(group, name, sweep->point_count, WIDTH, texts);
	}
	if (group >= 0)
		(void)H5Gclose(group);
	return ok;
}

static bool write_points(const ai8x_sweep *sweep, hid_t file, char *texts, double *numbers)
{
	enum { PART = sizeof sweep->points[0].part, MESSAGE = sizeof sweep->points[0].message };
	const size_t count = sweep->point_count;
	bool ok = true;
	for (const struct sweep_measure *measure = sweep_measures(); measure->key != NULL && ok; measure++) {
		for (size_t i = 0; i < count; i++)
			numbers[i] = sweep->points[i].status == AI8X_OK ? measure->of(&sweep->points[i]) : -1;
		ok = write_set(file, measure->key, is_whole(measure) ? H5T_STD_I64LE : H5T_IEEE_F64LE,
		               H5T_NATIVE_DOUBLE, count, numbers);
	}
	for (size_t i = 0; i < count; i++)
		numbers[i] = (double)sweep->points[i].status;
	ok = ok && write_set(file, "status", H5T_STD_I32LE, H5T_NATIVE_DOUBLE, count, numbers);
	for (size_t i = 0; i < count; i++)
		numbers[i] = sweep->points[i].best;
	ok = ok && write_set(file, "best", H5T_STD_U8LE, H5T_NATIVE_DOUBLE, count, numbers);
	for (size_t i = 0; i < count; i++)
		memcpy(texts + i * PART, sweep->points[i].part, PART);
	ok = ok && write_texts(file, "device", count, PART, texts);
	for (size_t i = 0; i < count; i++)
		memcpy(texts + i * MESSAGE, sweep->points[i].message, MESSAGE);
	return ok && write_texts(file, "message", count, MESSAGE, texts);
}

ai8x_status ai8x_sweep_hdf5(const ai8x_sweep *sweep, const char *path, ai8x_error *error)
{
	if (sweep == NULL || path == NULL)
		return error_null(error, sweep == NULL ? "sweep" : "path");
	enum { WIDEST = sizeof sweep->points[0].message };
	struct hdf5_session session;
	struct hdf5_image image;
	ai8x_status status = file_check_replaceable(path, error);
	if (status != AI8X_OK)
		return status;
	char *texts = calloc(sweep->point_count, WIDEST);
	double *numbers = calloc(sweep->point_count, sizeof *numbers);
	if (texts == NULL || numbers == NULL) {
		status = error_no_memory(error, path);
	} else {
		hdf5_session_begin(&session);
		hid_t file = hdf5_image_create(&image, path, error);
		status = file < 0 ? AI8X_ERR_NO_MEMORY : AI8X_OK;
		if (file >= 0 && !(write_axes(sweep, file, texts) && write_points(sweep, file, texts, numbers)))
			status = error_set(error, AI8X_ERR_NO_MEMORY, "%s: the file could not be made in memory", path);
		hdf5_session_end(&session);
		status = hdf5_session_verdict(&session, status, AI8X_ERR_IO, path, error);
		status = hdf5_image_write(&image, file, path, status, error);
	}
	free(texts);
	free(numbers);
	return status;
}
