// The image: an ELF file's segments and symbols, Intel HEX, raw bytes; the vector table. Nothing in it is trusted.
//
// libelf decodes headers and tables; every offset and size that comes out of it is checked against the
// file and against the memories of the part before it is used. Facts: firmware reference 1.
#include "firmware/soc.h"

#include <gelf.h>
#include <libelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

// Far above any flash, with room for debug information.
#define FILE_LIMIT ((size_t)256 << 20)
#define SEGMENT_LIMIT 64
#define HEX_SEGMENT_LIMIT 256
#define HEX_RECORD 260
#define SYMBOL_LIMIT 1000000
// Symbols farther below an address than this do not explain it.
#define SYMBOL_REACH 0x10000

void image_release(struct image *image)
{
	free(image->file);
	free(image->segments);
	free(image->symbols);
	*image = (struct image){0};
}

static bool in_file(const struct image *image, uint64_t offset, uint64_t size)
{
	return offset <= image->file_size && size <= image->file_size - offset;
}

// Bytes of the file that go to an address: of a segment, or of a section.
static ai8x_status add_range(struct image *image, const char *kind, size_t number, uint64_t address,
                             uint64_t offset, uint64_t size, ai8x_error *error)
{
	if (!in_file(image, offset, size))
		return error_set(error, AI8X_ERR_FORMAT,
		                 "ELF %s %zu: 0x%llx bytes at file offset 0x%llx reach past the file's end (0x%zx)",
		                 kind, number, (unsigned long long)size, (unsigned long long)offset,
		                 image->file_size);
	if (address > UINT32_MAX || size > UINT32_MAX)
		return error_set(error, AI8X_ERR_FORMAT, "ELF %s %zu: load address 0x%llx is not a 32-bit address",
		                 kind, number, (unsigned long long)address);
	image->segments[image->segment_count++] = (struct image_segment){
		.address = (uint32_t)address,
		.size = (uint32_t)size,
		.bytes = image->file + offset,
	};
	return AI8X_OK;
}

static ai8x_status make_room(struct image *image, const char *kind, size_t count, ai8x_error *error)
{
	if (count > SEGMENT_LIMIT)
		return error_set(error, AI8X_ERR_LIMIT, "ELF has %zu %s headers, at most %d are accepted", count,
		                 kind, SEGMENT_LIMIT);
	image->segments = calloc(count + 1, sizeof *image->segments);
	return image->segments != NULL ? AI8X_OK : error_no_memory(error, "ELF segments");
}

static ai8x_status read_segments(struct image *image, Elf *elf, ai8x_error *error)
{
	size_t count = 0;
	if (elf_getphdrnum(elf, &count) != 0)
		return error_set(error, AI8X_ERR_FORMAT, "ELF program headers: %s", elf_errmsg(-1));
	ai8x_status status = make_room(image, "program", count, error);
	for (size_t i = 0; i < count && status == AI8X_OK; i++) {
		GElf_Phdr header;
		if (gelf_getphdr(elf, (int)i, &header) == NULL)
			return error_set(error, AI8X_ERR_FORMAT, "ELF program header %zu: %s", i, elf_errmsg(-1));
		if (header.p_type == PT_LOAD && header.p_filesz > 0)
			status = add_range(image, "segment", i, header.p_paddr, header.p_offset, header.p_filesz, error);
	}
	return status;
}

// What objcopy makes of Intel HEX, as the SDK does to join two cores' images: an object whose sections have their
// addresses. Of others nothing lies at the start of flash, and they are refused for that.
static ai8x_status read_sections(struct image *image, Elf *elf, ai8x_error *error)
{
	size_t count = 0;
	if (elf_getshdrnum(elf, &count) != 0)
		return error_set(error, AI8X_ERR_FORMAT, "ELF section headers: %s", elf_errmsg(-1));
	ai8x_status status = make_room(image, "section", count, error);
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	while (status == AI8X_OK && (section = elf_nextscn(elf, section)) != NULL)
		if (gelf_getshdr(section, &header) != NULL && header.sh_type == SHT_PROGBITS &&
		    (header.sh_flags & SHF_ALLOC) != 0 && header.sh_addr != 0 && header.sh_size > 0)
			status = add_range(image, "section", elf_ndxscn(section), header.sh_addr, header.sh_offset,
			                   header.sh_size, error);
	return status;
}

static ai8x_status load_segments(struct image *image, Elf *elf, bool object, ai8x_error *error)
{
	ai8x_status status = object ? read_sections(image, elf, error) : read_segments(image, elf, error);
	if (status != AI8X_OK)
		return status;
	if (image->segment_count == 0)
		return error_set(error, AI8X_ERR_FORMAT, "ELF has nothing to load (is it an object file?)");
	for (size_t i = 0; i < image->segment_count; i++)
		for (size_t j = 0; j < i; j++) {
			const struct image_segment *a = &image->segments[i], *b = &image->segments[j];
			if (a->address < (uint64_t)b->address + b->size && b->address < (uint64_t)a->address + a->size)
				return error_set(error, AI8X_ERR_FORMAT,
				                 "ELF segments at load addresses 0x%08x and 0x%08x overlap", b->address,
				                 a->address);
		}
	return AI8X_OK;
}

static int by_address(const void *a, const void *b)
{
	const struct image_symbol *first = a, *second = b;
	if (first->address != second->address)
		return first->address < second->address ? -1 : 1;
	return (int)second->function - (int)first->function;
}

// Symbols only explain: a file whose symbol table is missing or broken runs without.
static ai8x_status load_symbols(struct image *image, Elf *elf, ai8x_error *error)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	while ((section = elf_nextscn(elf, section)) != NULL)
		if (gelf_getshdr(section, &header) != NULL && header.sh_type == SHT_SYMTAB)
			break;
	if (section == NULL)
		return AI8X_OK;
	Elf_Data *data = elf_getdata(section, NULL);
	if (data == NULL || data->d_buf == NULL || header.sh_entsize == 0)
		return AI8X_OK;
	size_t count = (size_t)(header.sh_size / header.sh_entsize);
	if (count > SYMBOL_LIMIT)
		return error_set(error, AI8X_ERR_LIMIT, "ELF has %zu symbols, at most %d are accepted", count,
		                 SYMBOL_LIMIT);
	image->symbols = calloc(count + 1, sizeof *image->symbols);
	if (image->symbols == NULL)
		return error_no_memory(error, "ELF symbols");
	for (size_t i = 0; i < count; i++) {
		GElf_Sym symbol;
		if (gelf_getsym(data, (int)i, &symbol) == NULL)
			break;
		unsigned type = GELF_ST_TYPE(symbol.st_info);
		if ((type != STT_FUNC && type != STT_OBJECT && type != STT_NOTYPE) || symbol.st_shndx == SHN_UNDEF ||
		    symbol.st_value > UINT32_MAX)
			continue;
		const char *name = elf_strptr(elf, header.sh_link, symbol.st_name);
		// $t and $d are the assembler's marks, not names.
		if (name == NULL || name[0] == 0 || name[0] == '$')
			continue;
		bool function = type == STT_FUNC;
		image->symbols[image->symbol_count++] = (struct image_symbol){
			.address = (uint32_t)symbol.st_value & ~(uint32_t)function,
			.size = symbol.st_size > UINT32_MAX ? UINT32_MAX : (uint32_t)symbol.st_size,
			.name = name,
			.function = function,
		};
	}
	qsort(image->symbols, image->symbol_count, sizeof *image->symbols, by_address);
	return AI8X_OK;
}

static bool image_word(const struct image *image, uint32_t address, uint32_t *value)
{
	for (size_t i = 0; i < image->segment_count; i++) {
		const struct image_segment *segment = &image->segments[i];
		if (address >= segment->address && address - segment->address < segment->size &&
		    segment->size - (address - segment->address) >= 4) {
			const uint8_t *p = segment->bytes + (address - segment->address);
			*value = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
			return true;
		}
	}
	return false;
}

static ai8x_status check_vectors(struct image *image, ai8x_error *error)
{
	// Images for SRAM are loaded and started by a debugger.
	static const uint32_t places[] = {FLASH_BASE, SRAM_BASE};
	for (size_t i = 0; i < sizeof places / sizeof places[0] && image->vectors == 0; i++)
		if (image_word(image, places[i], &image->stack) && image_word(image, places[i] + 4, &image->entry))
			image->vectors = places[i];
	if (image->vectors == 0)
		return error_set(error, AI8X_ERR_FORMAT,
		                 "the image has no vector table at 0x%08x (start of flash) or 0x%08x (start of SRAM)",
		                 FLASH_BASE, SRAM_BASE);
	if ((image->entry & 1) == 0)
		return error_set(error, AI8X_ERR_FORMAT,
		                 "reset vector 0x%08x has no Thumb bit: not a vector table of a Cortex-M",
		                 image->entry);
	return AI8X_OK;
}

static ai8x_status load_all(struct image *image, Elf *elf, ai8x_error *error)
{
	GElf_Ehdr header;
	if (elf != NULL && elf_kind(elf) != ELF_K_ELF)
		return error_set(error, AI8X_ERR_FORMAT,
		                 "not an ELF file; programs and firmware cannot be run together");
	if (elf == NULL || gelf_getehdr(elf, &header) == NULL)
		return error_set(error, AI8X_ERR_FORMAT, "not a complete ELF file: %s", elf_errmsg(-1));
	if (gelf_getclass(elf) != ELFCLASS32 || header.e_machine != EM_ARM ||
	    header.e_ident[EI_DATA] != ELFDATA2LSB)
		return error_set(error, AI8X_ERR_FORMAT,
		                 "ELF for machine %u%s, class %d: firmware is 32-bit little-endian Arm (machine %d)",
		                 header.e_machine,
		                 header.e_machine == EM_RISCV ? " (RISC-V: its code lies in the Cortex-M4's image)"
		                                              : "",
		                 gelf_getclass(elf), EM_ARM);
	if (header.e_type != ET_EXEC && header.e_type != ET_REL)
		return error_set(error, AI8X_ERR_FORMAT, "ELF of type %u is not an executable (type %d)",
		                 header.e_type, ET_EXEC);
	ai8x_status status = load_segments(image, elf, header.e_type == ET_REL, error);
	if (status == AI8X_OK)
		status = load_symbols(image, elf, error);
	return status == AI8X_OK ? check_vectors(image, error) : status;
}

// ---- Intel HEX ----

static int hex_digit(uint8_t character)
{
	if (character >= '0' && character <= '9')
		return character - '0';
	character |= 0x20;
	return character >= 'a' && character <= 'f' ? character - 'a' + 10 : -1;
}

// The bytes of the record at text, or -1 where it is none.
static int hex_record(const uint8_t *text, size_t size, uint8_t *record)
{
	size_t count = 0;
	uint8_t sum = 0;
	while (count < HEX_RECORD && 2 * count + 1 < size && hex_digit(text[2 * count]) >= 0 &&
	       hex_digit(text[2 * count + 1]) >= 0) {
		record[count] = (uint8_t)(hex_digit(text[2 * count]) << 4 | hex_digit(text[2 * count + 1]));
		sum = (uint8_t)(sum + record[count++]);
	}
	return count >= 5 && count == (size_t)record[0] + 5 && sum == 0 ? (int)count : -1;
}

static ai8x_status hex_data(struct image *image, uint32_t address, const uint8_t *bytes, uint32_t count,
                            unsigned line, ai8x_error *error)
{
	struct image_segment *last = image->segment_count > 0 ? &image->segments[image->segment_count - 1] : NULL;
	if (last != NULL && address < last->address + last->size)
		return error_set(error, AI8X_ERR_FORMAT,
		                 "line %u: address 0x%08x comes after 0x%08x; records have to ascend", line, address,
		                 last->address + last->size - 1);
	uint8_t *to = image->file + image->file_size;
	if (last == NULL || address != last->address + last->size) {
		if (image->segment_count == HEX_SEGMENT_LIMIT)
			return error_set(error, AI8X_ERR_LIMIT, "line %u: more than %d ranges of addresses", line,
			                 HEX_SEGMENT_LIMIT);
		last = &image->segments[image->segment_count++];
		*last = (struct image_segment){.address = address, .bytes = to};
	}
	memcpy(to, bytes, count);
	last->size += count;
	image->file_size += count;
	return AI8X_OK;
}

static ai8x_status load_hex(struct image *image, const uint8_t *text, size_t size, ai8x_error *error)
{
	uint32_t upper = 0;
	unsigned line = 1;
	image->segments = calloc(HEX_SEGMENT_LIMIT, sizeof *image->segments);
	if (image->segments == NULL)
		return error_no_memory(error, "segments");
	for (size_t i = 0; i < size; line++) {
		uint8_t record[HEX_RECORD];
		const int count = text[i] == ':' ? hex_record(text + i + 1, size - i - 1, record) : -1;
		if (count < 0)
			return error_set(error, AI8X_ERR_FORMAT,
			                 "line %u: not a record of Intel HEX, or its length or checksum is wrong", line);
		const uint32_t low = (uint32_t)record[1] << 8 | record[2];
		ai8x_status status = AI8X_OK;
		if (record[3] == 0 && record[0] > 0)
			status = hex_data(image, upper + low, record + 4, record[0], line, error);
		else if (record[3] == 1)
			return check_vectors(image, error);
		else if ((record[3] == 2 || record[3] == 4) && record[0] == 2)
			upper = ((uint32_t)record[4] << 8 | record[5]) << (record[3] == 2 ? 4 : 16);
		else if (record[3] > 5)
			status = error_set(error, AI8X_ERR_FORMAT, "line %u: record type %u", line, record[3]);
		if (status != AI8X_OK)
			return status;
		i += 1 + 2 * (size_t)count;
		while (i < size && (text[i] == '\r' || text[i] == '\n' || text[i] == ' '))
			i++;
	}
	return error_set(error, AI8X_ERR_FORMAT, "the end record of Intel HEX is missing");
}

static ai8x_status load_raw(struct image *image, uint32_t base, ai8x_error *error)
{
	image->segments = calloc(1, sizeof *image->segments);
	if (image->segments == NULL)
		return error_no_memory(error, "a segment");
	image->segments[image->segment_count++] = (struct image_segment){
		.address = base != 0 ? base : FLASH_BASE, .size = (uint32_t)image->file_size, .bytes = image->file};
	return check_vectors(image, error);
}

ai8x_status image_load(struct image *image, const void *bytes, size_t size, const ai8x_firmware_board *board,
                       ai8x_error *error)
{
	*image = (struct image){0};
	if (size > FILE_LIMIT)
		return error_set(error, AI8X_ERR_LIMIT, "image of %zu bytes, at most %zu are accepted", size,
		                 FILE_LIMIT);
	if (elf_version(EV_CURRENT) == EV_NONE)
		return error_set(error, AI8X_ERR_UNSUPPORTED, "libelf: %s", elf_errmsg(-1));
	image->file = malloc(size + 1);
	if (image->file == NULL)
		return error_no_memory(error, "an image");
	memcpy(image->file, bytes, size);
	image->file[size] = 0;
	image->file_size = size;

	ai8x_status status;
	if (!ai8x_firmware_is_elf(bytes, size) && size > 0 && image->file[0] == ':') {
		image->file_size = 0; // what is decoded of it
		status = load_hex(image, bytes, size, error);
	} else if (!ai8x_firmware_is_elf(bytes, size) && board != NULL && board->binary) {
		status = load_raw(image, board->base, error);
	} else {
		Elf *elf = elf_memory((char *)image->file, size);
		status = load_all(image, elf, error);
		// Names of symbols point into the file, which stays.
		(void)elf_end(elf);
	}
	if (status != AI8X_OK)
		image_release(image);
	return status;
}

static bool within(uint32_t address, uint32_t size, uint32_t base, uint32_t bytes)
{
	return address >= base && address - base <= bytes && size <= bytes - (address - base);
}

ai8x_status image_check(const struct image *image, const struct soc_part *part, ai8x_error *error)
{
	for (size_t i = 0; i < image->segment_count; i++) {
		const struct image_segment *s = &image->segments[i];
		if (!within(s->address, s->size, FLASH_BASE, part->flash_bytes) &&
		    !within(s->address, s->size, SRAM_BASE, part->sram_bytes))
			return error_set(error, AI8X_ERR_FORMAT,
			                 "segment of 0x%x bytes at load address 0x%08x fits neither flash (0x%08x, 0x%x "
			                 "bytes) nor SRAM (0x%08x, 0x%x bytes) of the %s",
			                 s->size, s->address, FLASH_BASE, part->flash_bytes, SRAM_BASE, part->sram_bytes,
			                 part->part->info.name);
	}
	if (image->stack < SRAM_BASE || image->stack - SRAM_BASE > part->sram_bytes)
		return error_set(error, AI8X_ERR_FORMAT,
		                 "initial stack pointer 0x%08x is outside SRAM (0x%08x, 0x%x bytes) of the %s",
		                 image->stack, SRAM_BASE, part->sram_bytes, part->part->info.name);
	const uint32_t bytes = image->vectors == FLASH_BASE ? part->flash_bytes : part->sram_bytes;
	if (image->entry < image->vectors || image->entry - image->vectors >= bytes)
		return error_set(error, AI8X_ERR_FORMAT, "reset vector 0x%08x is outside the %s of the %s",
		                 image->entry, image->vectors == FLASH_BASE ? "flash" : "SRAM",
		                 part->part->info.name);
	return AI8X_OK;
}

static bool outgrows(const struct image *image, const struct soc_part *part)
{
	if (image->stack > SRAM_BASE + part->sram_bytes)
		return true;
	for (size_t i = 0; i < image->segment_count; i++) {
		const struct image_segment *s = &image->segments[i];
		if (s->address >= FLASH_BASE && s->address < SRAM_BASE &&
		    (uint64_t)s->address + s->size > (uint64_t)FLASH_BASE + part->flash_bytes)
			return true;
	}
	return false;
}

const ai8x_part *image_guess_part(const struct image *image)
{
	size_t i = 0;
	while (outgrows(image, soc_part_at(i)) && soc_part_at(i + 1) != NULL)
		i++;
	return soc_part_at(i)->part;
}

const struct image_symbol *image_find(const struct image *image, const char *name)
{
	for (size_t i = 0; i < image->symbol_count; i++)
		if (strcmp(image->symbols[i].name, name) == 0)
			return &image->symbols[i];
	return NULL;
}

void image_describe(const struct image *image, uint32_t address, char *text, size_t size)
{
	const struct image_symbol *best = NULL;
	size_t low = 0, high = image->symbol_count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (image->symbols[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	for (size_t i = low; i-- > 0 && best == NULL && address - image->symbols[i].address < SYMBOL_REACH;)
		if (image->symbols[i].function || image->symbols[i].size > address - image->symbols[i].address)
			best = &image->symbols[i];
	if (best == NULL)
		(void)snprintf(text, size, "0x%08x", address);
	else if (best->address == address)
		(void)snprintf(text, size, "%s", best->name);
	else
		(void)snprintf(text, size, "%s+0x%x", best->name, address - best->address);
}
