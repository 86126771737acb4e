// Findings: the table of classes, merging, order, texts.
#include "check/parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_SIZE 640

#define CLASS(id) [AI8X_CHECK_##id]

static const ai8x_check_class_info classes[AI8X_CHECK_CLASSES] = {
	CLASS(DATA_UNWRITTEN) =
		{"data-unwritten", "reads data memory that nobody wrote",
         "Let the input offset of the reading layer (RPTR_BASE, in_offset) and the output "
         "offset of the layer it reads from (WPTR_BASE, out_offset) agree, and check that the "
         "input data are loaded completely.",
         AI8X_SEVERITY_ERROR},
	CLASS(DATA_OVERWRITTEN) =
		{"data-overwritten", "overwrites data that a layer still reads",
         "Move the output of the layer that overwrites (WPTR_BASE, out_offset) to memory that "
         "nothing needs any more, or let the reader run first.",
         AI8X_SEVERITY_ERROR},
	CLASS(DATA_SELF) =
		{"data-self", "overwrites its own input before having read it",
         "Move the layer's output (WPTR_BASE, out_offset) away from its input: in-place operation works "
         "only where each word is read before it is written.",
         AI8X_SEVERITY_ERROR},
	CLASS(DATA_RANGE) =
		{"data-range", "reads or writes outside data memory",
         "Check the offset (RPTR_BASE or WPTR_BASE) and the size of the layer (RCNT, CCNT, LCTL2); an "
         "instance of data memory does not continue in the next one.",
         AI8X_SEVERITY_ERROR},
	CLASS(OUTPUT_OVERLAP) = {"output-overlap", "overwrites an output that nobody has read",
                             "Give the two layers outputs that do not overlap (WPTR_BASE, out_offset).",
                             AI8X_SEVERITY_ERROR},
	CLASS(OUTPUT_UNUSED) =
		{"output-unused", "the output of a layer has no influence on the result",
         "Check the layer's output offset (WPTR_BASE, out_offset) and the input offset (RPTR_BASE, "
         "in_offset) of the layer that should read it.",
         AI8X_SEVERITY_ERROR},
	CLASS(OUTPUT_UNWRITTEN) =
		{"output-unwritten", "the result is read where no layer wrote it",
         "Check the last layer's output offset (WPTR_BASE, out_offset), output processors and "
         "layer count (LCNT_MAX).",
         AI8X_SEVERITY_ERROR},
	CLASS(RESULT) =
		{"result", "a word is not what the program expects",
         "Look at the other findings first; `ai8xsim run --per-layer` names the first layer that differs "
         "from a recording.",
         AI8X_SEVERITY_ERROR},
	CLASS(KERNEL_UNWRITTEN) =
		{"kernel-unwritten", "uses kernels that nobody wrote",
         "Load the missing kernel words, or correct the layer's first kernel (MCNT, ONED) and "
         "its enabled processors (ENA).",
         AI8X_SEVERITY_ERROR},
	CLASS(KERNEL_CONFLICT) =
		{"kernel-conflict", "kernel words written twice with different contents",
         "Give the layers kernel memory of their own; calcx4 layers take part of each of the four "
         "quarters of a kernel memory, which other layers must leave free.",
         AI8X_SEVERITY_ERROR},
	CLASS(KERNEL_OVERLAP) =
		{"kernel-overlap", "two layers take the same kernel memory for different kernels",
         "Correct the first kernel (MCNT, MCNT2, ONED) or the number of kernels (MCNT, OCHAN) of "
         "one of the layers.",
         AI8X_SEVERITY_ERROR},
	CLASS(KERNEL_QUARTERS) =
		{"kernel-quarters", "calcx4 kernels are not spread over the four quarters",
         "Load output channel s of a calcx4 layer into quarter s mod 4 of the kernel memories, or "
         "switch calcx4 off (POST bit 29).",
         AI8X_SEVERITY_ERROR},
	CLASS(KERNEL_RANGE) =
		{"kernel-range", "kernels reach past kernel memory",
         "Correct the first kernel or the number of kernels (MCNT, MCNT1, MCNT2, OCHAN, ONED).",
         AI8X_SEVERITY_ERROR},
	CLASS(KERNEL_UNUSED) =
		{"kernel-unused", "kernels were loaded that no layer uses",
         "Check the first kernel (MCNT, ONED) and the enabled processors (ENA) of the layer that "
         "should use them; otherwise leave them out to load faster.",
         AI8X_SEVERITY_WARNING},
	CLASS(BIAS_UNWRITTEN) =
		{"bias-unwritten", "uses bias entries that nobody wrote",
         "Load the missing bias entries, or correct the layer's first entry (POST bits 11:0).",
         AI8X_SEVERITY_ERROR},
	CLASS(BIAS_CONFLICT) = {"bias-conflict", "bias entries written twice with different contents",
                            "Give each layer bias entries of its own (POST bits 11:0).", AI8X_SEVERITY_ERROR},
	CLASS(BIAS_RANGE) = {"bias-range", "bias entries reach past bias memory",
                         "Correct the layer's first bias entry (POST bits 11:0).", AI8X_SEVERITY_ERROR},
	CLASS(PROCESSOR_EMPTY) = {"processor-empty", "a processor is enabled whose data memory holds nothing",
                              "Disable the processor (ENA), or write its channel's data.",
                              AI8X_SEVERITY_ERROR},
	CLASS(PROCESSOR_MASK) = {"processor-mask", "processors that read and processors with kernels differ",
                             "Set the same processors in both halves of ENA.", AI8X_SEVERITY_ERROR},
	CLASS(PROCESSOR_MISSING) = {"processor-missing", "a processor has data or kernels but is not enabled",
                                "Enable the processor (ENA) in the layer.", AI8X_SEVERITY_ERROR},
	CLASS(GROUP_START) =
		{"group-start", "a configured group does not take part in the run",
         "Set cnn_en and ext_sync_en of the group's CTL, with the master's number in bits 10:9, before "
         "the master's cnn_en is set.",
         AI8X_SEVERITY_ERROR},
	CLASS(GROUP_ORDER) = {"group-order", "a group is enabled after the master has started",
                          "Write CTL of all other groups first and that of the master last.",
                          AI8X_SEVERITY_ERROR},
	CLASS(GROUP_DIFFERS) = {"group-differs", "groups that run together have different layer registers",
                            "Write the same value to all groups that take part.", AI8X_SEVERITY_ERROR},
	CLASS(LAYER_ILLEGAL) = {"layer-illegal", "a layer's registers cannot be executed",
                            "Correct the register that the message names.", AI8X_SEVERITY_ERROR},
	CLASS(LAYER_UNCONFIGURED) =
		{"layer-unconfigured", "a layer runs that was never configured",
         "Correct the layer count (LCNT_MAX) or the link to the layer (NXTLYR), or write the "
         "layer's registers.",
         AI8X_SEVERITY_ERROR},
	CLASS(LAYER_SKIPPED) = {"layer-skipped", "a configured layer does not run",
                            "Correct the layer count (LCNT_MAX) or the links between layers (NXTLYR).",
                            AI8X_SEVERITY_ERROR},
	CLASS(REGISTER_OVERWRITTEN) = {"register-overwritten",
                                   "a layer register is zeroed after it was configured",
                                   "Leave out the second write, or write zeros before the configuration.",
                                   AI8X_SEVERITY_ERROR},
	CLASS(REGISTER_BITS) = {"register-bits", "a register is written with bits the part does not have",
                            "Clear the bits; check that the program was made for this part.",
                            AI8X_SEVERITY_ERROR},
	CLASS(BUS_RUNNING) =
		{"bus-running", "bus access to a memory while the machine runs",
         "Wait for completion (CTL bit 12) before touching the accelerator's memories; feed running "
         "networks through a FIFO.",
         AI8X_SEVERITY_ERROR},
	CLASS(BUS_ADDRESS) = {"bus-address", "bus access to an address where the part has nothing",
                          "Correct the address; check that the program was made for this part.",
                          AI8X_SEVERITY_ERROR},
	CLASS(FIFO_DEADLOCK) =
		{"fifo-deadlock", "the machine waits for FIFO data that never come",
         "Write as many words as a frame has (IFRM) to every enabled FIFO, all FIFOs in turn, and "
         "enable only FIFOs that are fed (FIFO_CTL bits 15:12).",
         AI8X_SEVERITY_ERROR},
	CLASS(FIFO_OVERFLOW) = {"fifo-overflow", "more FIFO data than the machine takes",
                            "Write exactly the words of a frame (IFRM), and wait while a FIFO is full.",
                            AI8X_SEVERITY_ERROR},
	CLASS(FIFO_DISABLED) = {"fifo-disabled", "data pushed into a FIFO that feeds nothing",
                            "Enable the FIFO (FIFO_CTL bits 15:12) and FIFO input (CTL bit 15 or 22).",
                            AI8X_SEVERITY_ERROR},
	CLASS(RING_OVERLAP) =
		{"ring-overlap", "rings or outputs of streaming layers overlap",
         "Give every streaming layer a ring of its own: at least FMAX words from RPTR_BASE (in_offset).",
         AI8X_SEVERITY_WARNING},
	CLASS(NOT_STARTED) =
		{"not-started", "nothing starts the machine",
         "Set cnn_en of the master's CTL, without ext_sync_en (or with the master's own number).",
         AI8X_SEVERITY_ERROR},
	CLASS(ENDLESS) = {"endless", "the machine does not come to an end",
                      "Look for links (NXTLYR) that lead back, or raise the limit.", AI8X_SEVERITY_ERROR},
	CLASS(SATURATION) =
		{"saturation", "many outputs of a layer clip",
         "Reduce the layer's output shift (POST bits 17:13), or train with the hardware's ranges.",
         AI8X_SEVERITY_WARNING},
	CLASS(ACCUMULATOR) = {"accumulator", "sums leave the range of the accumulator",
                          "Reduce the weights or split the layer's input channels.", AI8X_SEVERITY_WARNING},
	CLASS(KERNEL_MISPLACED) = {"kernel-misplaced", "kernels lie where there is no channel",
                               "Fill the last pass of input channels, let output processors begin at a "
                               "multiple of four without holes, or use "
                               "8-bit weights: the vendor's generator misplaces kernels otherwise "
                               "(docs/export.md). `ai8xsim compile` places "
                               "them right.",
                               AI8X_SEVERITY_ERROR},
	CLASS(BIAS_MISPLACED) = {"bias-misplaced", "biases lie where there is no channel",
                             "Let output processors begin at a multiple of four without holes: the vendor's "
                             "generator packs biases without "
                             "the gaps (docs/export.md). `ai8xsim compile` places them right.",
                             AI8X_SEVERITY_ERROR},
	CLASS(DATA_WIDTH) =
		{"data-width", "a layer reads what another one wrote as 32-bit words",
         "Use output_width 8 (POST) for every layer that another one reads; 32 bits are for the last one.",
         AI8X_SEVERITY_ERROR},
	CLASS(READ_AHEAD) =
		{"read-ahead", "read-ahead with input and output in the same RAM",
         "Move the output (WPTR_BASE, out_offset) to a 16 KiB block other than the input's, or switch "
         "readahead off (LCTL2).",
         AI8X_SEVERITY_ERROR},
	CLASS(FIFO_FRAME) =
		{"fifo-frame", "a FIFO is enabled, but the frame is empty",
         "Write the number of words of a frame to IFRM, or leave FIFO input (CTL bit 15 or 22) switched "
         "off where the input lies in data memory.",
         AI8X_SEVERITY_WARNING},
	CLASS(KERNEL_DIFFERS) =
		{"kernel-differs", "kernels are not the trained ones",
         "Load the kernels of the weights file, each where its layer takes it; look at kernel-misplaced "
         "and kernel-conflict first.",
         AI8X_SEVERITY_ERROR},
	CLASS(BIAS_DIFFERS) =
		{"bias-differs", "biases are not the trained ones",
         "Load the biases of the weights file, each where its layer takes it; look at bias-misplaced and "
         "bias-conflict first.",
         AI8X_SEVERITY_ERROR},
	CLASS(KERNEL_TRAINED) = {"kernel-trained", "kernels are the trained ones", "There is nothing to do.",
                             AI8X_SEVERITY_INFO},
	CLASS(FIFO_LANES) =
		{"fifo-lanes", "processors that a FIFO feeds only ever get zeros",
         "Feed four channels through each FIFO before the next one is used (processors 0-3, 16-19, ...): "
         "the vendor's generator takes four channels a FIFO, whatever the map (docs/export.md).",
         AI8X_SEVERITY_ERROR},
};

const ai8x_check_class_info *ai8x_check_class_get(unsigned index)
{
	return index < AI8X_CHECK_CLASSES ? &classes[index] : NULL;
}

ai8x_status ai8x_check_class_find(const char *name, ai8x_check_class *found)
{
	if (name == NULL || found == NULL)
		return AI8X_ERR_ARGUMENT;
	for (unsigned i = 0; i < AI8X_CHECK_CLASSES; i++) {
		if (strcmp(classes[i].name, name) == 0) {
			*found = (ai8x_check_class)i;
			return AI8X_OK;
		}
	}
	return AI8X_ERR_ARGUMENT;
}

const char *ai8x_severity_name(ai8x_severity severity)
{
	static const char *const names[] = {"info", "warning", "error"};
	return severity <= AI8X_SEVERITY_ERROR ? names[severity] : "?";
}

static bool same(const ai8x_finding *finding, ai8x_check_class kind, ai8x_severity severity,
                 const struct place *place)
{
	return finding->kind == kind && finding->severity == severity && finding->layer == place->layer &&
	       finding->other_layer == place->other_layer && finding->group == place->group;
}

void report(ai8x_check *check, ai8x_check_class kind, ai8x_severity severity, struct place place,
            uint64_t count, const char *format, ...)
{
	for (size_t i = 0; i < check->finding_count; i++) {
		if (same(&check->findings[i], kind, severity, &place)) {
			check->findings[i].count += count;
			return;
		}
	}
	char *text = malloc(TEXT_SIZE);
	if (text == NULL || !array_reserve(&check->findings, &check->finding_capacity, check->finding_count + 1,
	                                   sizeof *check->findings)) {
		free(text);
		check->trouble = AI8X_ERR_NO_MEMORY;
		return;
	}
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(text, TEXT_SIZE, format, arguments);
	va_end(arguments);
	check->findings[check->finding_count++] = (ai8x_finding){
		.kind = kind,
		.severity = severity,
		.layer = place.layer,
		.other_layer = place.other_layer,
		.group = place.group,
		.processor = place.processor,
		.has_address = place.has_address,
		.address = place.address,
		.channel = place.channel,
		.row = place.row,
		.column = place.column,
		.count = count,
		.cause = text,
		.remedy = classes[kind].remedy,
	};
}

bool report_has(const ai8x_check *check, ai8x_check_class kind, int layer)
{
	for (size_t i = 0; i < check->finding_count; i++) {
		const ai8x_finding *finding = &check->findings[i];
		if (finding->kind == kind && (finding->layer == layer || finding->other_layer == layer))
			return true;
	}
	return false;
}

// Causes before their consequences: the result that differs comes last.
static int rank(const ai8x_finding *finding)
{
	return (AI8X_SEVERITY_ERROR - (int)finding->severity) * 2 + (finding->kind == AI8X_CHECK_RESULT);
}

void report_sort(ai8x_check *check)
{
	// Stable, and there are few of them.
	for (size_t i = 1; i < check->finding_count; i++) {
		ai8x_finding finding = check->findings[i];
		size_t at = i;
		for (; at > 0 && rank(&check->findings[at - 1]) > rank(&finding); at--)
			check->findings[at] = check->findings[at - 1];
		check->findings[at] = finding;
	}
}

void report_release(ai8x_check *check)
{
	for (size_t i = 0; i < check->finding_count; i++)
		free((void *)check->findings[i].cause);
	free(check->findings);
}

size_t ai8x_finding_describe(const ai8x_finding *finding, char *text, size_t size)
{
	if (text == NULL)
		size = 0;
	if (finding == NULL)
		return 0;
	char address[32] = "", count[48] = "";
	if (finding->has_address)
		(void)snprintf(address, sizeof address, " (0x%08x)", finding->address);
	if (finding->count > 1)
		(void)snprintf(count, sizeof count, " Found %llu times.", (unsigned long long)finding->count);
	int length = snprintf(text, size, "%s: %s: %s%s.%s %s", ai8x_severity_name(finding->severity),
	                      classes[finding->kind].name, finding->cause, address, count, finding->remedy);
	return length < 0 ? 0 : (size_t)length;
}

size_t ai8x_check_count(const ai8x_check *check)
{
	if (check == NULL)
		return 0;
	return check->finding_count;
}

const ai8x_finding *ai8x_check_get(const ai8x_check *check, size_t index)
{
	if (check == NULL)
		return NULL;
	return index < check->finding_count ? &check->findings[index] : NULL;
}
