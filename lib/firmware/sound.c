// Sound files by libsndfile (WAV, FLAC, ...), which is loaded when the first one is read: most runs have none.
#include "firmware/devices.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/file.h"
#include "base/library.h"

#ifdef SNDFILE_LIBRARY

#include <sndfile.h>

#define MOST_FRAMES ((sf_count_t)64 << 20)
#define MOST_CHANNELS 16
#define CHUNK 4096

struct sndfile {
	__typeof__(sf_open) *open;
	__typeof__(sf_readf_int) *read;
	__typeof__(sf_close) *close;
	__typeof__(sf_strerror) *strerror;
};

static ai8x_status load(struct sndfile *library, ai8x_error *error)
{
	static const struct library_function functions[] = {
		{"sf_open", offsetof(struct sndfile, open)},
		{"sf_readf_int", offsetof(struct sndfile, read)},
		{"sf_close", offsetof(struct sndfile, close)},
		{"sf_strerror", offsetof(struct sndfile, strerror)},
	};
	return library_load(SNDFILE_LIBRARY, "sound needs libsndfile", functions,
	                    sizeof functions / sizeof functions[0], library, error);
}

static ai8x_status read_samples(const struct sndfile *library, SNDFILE *file, const SF_INFO *info,
                                struct sound *sound, ai8x_error *error)
{
	int chunk[CHUNK * MOST_CHANNELS];
	sf_count_t got = 0;
	sound->samples = calloc((size_t)info->frames, sizeof *sound->samples);
	if (sound->samples == NULL)
		return error_no_memory(error, "a sound");
	sound->rate = (uint32_t)info->samplerate;
	while ((got = library->read(file, chunk, CHUNK)) > 0)
		for (sf_count_t i = 0; i < got && sound->count < (size_t)info->frames; i++)
			sound->samples[sound->count++] = chunk[i * info->channels];
	return AI8X_OK;
}

ai8x_status sound_read(const char *path, struct sound *sound, ai8x_error *error)
{
	struct sndfile library;
	SF_INFO info = {0};
	*sound = (struct sound){0};
	ai8x_status status = load(&library, error);
	if (status != AI8X_OK || (status = file_check_readable(path, error)) != AI8X_OK)
		return status;
	SNDFILE *file = library.open(path, SFM_READ, &info);
	if (file == NULL)
		return error_set(error, AI8X_ERR_FORMAT, "%s: not a sound file: %s", path, library.strerror(NULL));
	if (info.frames <= 0 || info.frames > MOST_FRAMES || info.channels > MOST_CHANNELS || info.samplerate < 1)
		status =
			error_set(error, AI8X_ERR_LIMIT,
		              "%s: %lld samples of %d channels; expected 1 to %lld samples of up to %d channels",
		              path, (long long)info.frames, info.channels, (long long)MOST_FRAMES, MOST_CHANNELS);
	else
		status = read_samples(&library, file, &info, sound, error);
	(void)library.close(file);
	return status;
}

#else

ai8x_status sound_read(const char *path, struct sound *sound, ai8x_error *error)
{
	*sound = (struct sound){0};
	return error_set(error, AI8X_ERR_UNSUPPORTED, "%s: this build has no libsndfile", path);
}

#endif

void sound_release(struct sound *sound)
{
	free(sound->samples);
	sound->samples = NULL;
}
