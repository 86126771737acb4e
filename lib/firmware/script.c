// I2C devices that are described by their registers or commands.
#include "firmware/devices.h"

#include <stdlib.h>

static struct script_answer *find(struct script *script)
{
	for (size_t i = 0; i < script->answer_count; i++)
		if (script->answers[i].key == script->key)
			return &script->answers[i];
	return NULL;
}

void script_start(struct script *script, bool reads)
{
	script->at = 0;
	if (!reads)
		script->key = script->have = 0;
}

void script_write(struct script *script, uint8_t byte)
{
	if (script->have < script->key_bytes) {
		script->key = script->key << 8 | byte;
		script->have++;
		return;
	}
	script->storage[script->key & 255] = byte;
	script->key++;
}

uint8_t script_read(struct script *script)
{
	struct script_answer *answer = find(script);
	if (answer == NULL)
		return script->storage[script->key++ & 255];
	if (answer->together)
		return script->at < answer->count ? answer->values[script->at++] : 0xFF;
	const uint8_t value = answer->values[answer->used];
	if (answer->used + 1 < answer->count)
		answer->used++;
	script->key++;
	return value;
}

void script_release(struct script *script)
{
	free(script->answers);
	script->answers = NULL;
	script->answer_count = 0;
}
