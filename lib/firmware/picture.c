// PNG files by libpng, which is loaded when the first picture is read or written: most runs have none.
#include "firmware/devices.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/file.h"
#include "base/library.h"

#ifdef PNG_LIBRARY

#include <png.h>

#define MOST_PIXELS (64u << 20)

struct png {
	__typeof__(png_image_begin_read_from_file) *begin_read;
	__typeof__(png_image_finish_read) *finish_read;
	__typeof__(png_image_write_to_memory) *write;
	__typeof__(png_image_free) *free;
};

static ai8x_status load(struct png *png, ai8x_error *error)
{
	static const struct library_function functions[] = {
		{"png_image_begin_read_from_file", offsetof(struct png, begin_read)},
		{"png_image_finish_read", offsetof(struct png, finish_read)},
		{"png_image_write_to_memory", offsetof(struct png, write)},
		{"png_image_free", offsetof(struct png, free)},
	};
	return library_load(PNG_LIBRARY, "pictures need libpng", functions,
	                    sizeof functions / sizeof functions[0], png, error);
}

ai8x_status picture_read(const char *path, struct picture *picture, ai8x_error *error)
{
	struct png png;
	png_image image = {.version = PNG_IMAGE_VERSION};
	*picture = (struct picture){0};
	ai8x_status status = load(&png, error);
	if (status != AI8X_OK || (status = file_check_readable(path, error)) != AI8X_OK)
		return status;
	if (png.begin_read(&image, path) == 0)
		return error_set(error, AI8X_ERR_FORMAT, "%s: not a PNG file: %s", path, image.message);
	image.format = PNG_FORMAT_RGB;
	if ((uint64_t)image.width * image.height > MOST_PIXELS)
		status = error_set(error, AI8X_ERR_LIMIT, "%s: %u x %u pixels, at most %u are accepted", path,
		                   image.width, image.height, MOST_PIXELS);
	else if ((picture->rgb = malloc(PNG_IMAGE_SIZE(image))) == NULL)
		status = error_no_memory(error, path);
	else if (png.finish_read(&image, NULL, picture->rgb, 0, NULL) == 0)
		status = error_set(error, AI8X_ERR_FORMAT, "%s: %s", path, image.message);
	picture->width = image.width;
	picture->height = image.height;
	png.free(&image);
	if (status != AI8X_OK)
		picture_release(picture);
	return status;
}

ai8x_status picture_write(const char *path, const struct picture *picture, ai8x_error *error)
{
	struct png png;
	png_image image = {.version = PNG_IMAGE_VERSION,
	                   .width = picture->width,
	                   .height = picture->height,
	                   .format = PNG_FORMAT_RGB};
	ai8x_status status = load(&png, error);
	if (status != AI8X_OK)
		return status;
	png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
	void *bytes = malloc(size);
	if (bytes == NULL)
		return error_no_memory(error, path);
	if (png.write(&image, bytes, &size, 0, picture->rgb, 0, NULL) == 0)
		status = error_set(error, AI8X_ERR_NO_MEMORY, "%s: %s", path, image.message);
	else
		status = file_write_any(path, bytes, size, error);
	free(bytes);
	return status;
}

#else

ai8x_status picture_read(const char *path, struct picture *picture, ai8x_error *error)
{
	*picture = (struct picture){0};
	return error_set(error, AI8X_ERR_UNSUPPORTED, "%s: this build has no libpng", path);
}

ai8x_status picture_write(const char *path, const struct picture *picture, ai8x_error *error)
{
	(void)picture;
	return error_set(error, AI8X_ERR_UNSUPPORTED, "%s: this build has no libpng", path);
}

#endif

void picture_release(struct picture *picture)
{
	free(picture->rgb);
	picture->rgb = NULL;
}
