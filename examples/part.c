// <ai8xsim/part.h>: the parts as data. What lies at a bus address, and which fields does a register have?
//
//   ./part MAX78000 0x50100320
#include <stdio.h>
#include <stdlib.h>

#include <ai8xsim/part.h>

int main(int argc, char **argv)
{
	const ai8x_part *part = argc == 3 ? ai8x_part_find(argv[1]) : NULL;
	if (part == NULL) {
		fprintf(stderr, "usage: %s MAX78000|MAX78002 ADDRESS\n", argv[0]);
		return 2;
	}
	const ai8x_part_info *info = ai8x_part_get_info(part);
	printf("%s: %u layers, %u words in each of %d data memories\n", info->name, info->layers,
	       info->data_words, AI8X_INSTANCES);

	const uint32_t address = (uint32_t)strtoul(argv[2], NULL, 0);
	ai8x_location place;
	if (ai8x_part_locate(part, address, &place) != AI8X_OK) {
		fprintf(stderr, "nothing lies at 0x%08x\n", address);
		return 3;
	}
	printf("0x%08x: %s %s, group %d, layer %d\n", address, place.region, place.name != NULL ? place.name : "",
	       place.group, place.layer);

	ai8x_field fields[40];
	const size_t count = ai8x_part_fields(part, address, fields, 40);
	for (size_t i = 0; i < count && i < 40; i++)
		printf("  bits %2u:%-2u  %-10s  %s\n", fields[i].low + fields[i].width - 1, fields[i].low,
		       fields[i].name, fields[i].meaning);
	return 0;
}
