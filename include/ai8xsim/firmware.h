/**
 * @file firmware.h
 * @brief Runs the ELF file that goes on the board: Cortex-M4 and the little of the chip that boot needs,
 *        with a machine in the place of the accelerator.
 *
 * Available where the library was built with Unicorn and libelf (ai8x_firmware_available()); elsewhere the
 * functions return AI8X_ERR_UNSUPPORTED.
 *
 * Usual order: ai8x_firmware_open(), ai8x_firmware_run(), ai8x_firmware_destroy().
 *
 * Example: examples/firmware.c.
 */
#ifndef AI8XSIM_FIRMWARE_H
#define AI8XSIM_FIRMWARE_H

#include "machine.h"
#include "program.h"
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Simulated time is counted in 64 bits: runs cannot be longer. */
#define AI8X_FIRMWARE_MAX_SECONDS 10000

/** A chip with firmware in its flash. Used by one thread at a time; different ones are independent. */
typedef struct ai8x_firmware ai8x_firmware;

/** Why a run of firmware ended. */
typedef enum ai8x_firmware_end {
	AI8X_FIRMWARE_RETURNED,    /**< main() returned, and the core came to rest */
	AI8X_FIRMWARE_IDLE,        /**< the core rests in a loop (or sleeps) that nothing can end */
	AI8X_FIRMWARE_EXITED,      /**< semihosting exit */
	AI8X_FIRMWARE_REACHED,     /**< the symbol asked for was reached */
	AI8X_FIRMWARE_TIMEOUT,     /**< watchdog: too many instructions or too much simulated time */
	AI8X_FIRMWARE_FAULT,       /**< an access or an instruction that the core cannot do */
	AI8X_FIRMWARE_ACCELERATOR, /**< the accelerator refused an access or a layer */
	AI8X_FIRMWARE_UNMODELLED,  /**< strict: a register was read that is not modelled */
	AI8X_FIRMWARE_CANCELLED,   /**< a callback asked to stop */
	AI8X_FIRMWARE_ENDS
} ai8x_firmware_end;

/** @brief Name of an end: "returned". */
AI8X_API const char *ai8x_firmware_end_name(ai8x_firmware_end end);

/** One inference: from the write that started the accelerator until its interrupt. */
typedef struct ai8x_firmware_inference {
	uint64_t cycles;      /**< accelerator cycles, stalls included */
	uint32_t clock_hz;    /**< accelerator clock as the firmware configured it */
	double start_seconds; /**< simulated time of the start since reset */
	double seconds;       /**< cycles at that clock */
	bool fifo;            /**< input came through a FIFO while the accelerator ran */
	uint32_t layers;      /**< layers that ran */
	bool finished;        /**< false: stopped by the firmware, or still running at the end */
} ai8x_firmware_inference;

/** A function of the image that returns at once, so that what it would wait for need not exist. */
typedef struct ai8x_firmware_stub {
	const char *function; /**< its symbol */
	uint32_t value;       /**< what it returns in R0 */
} ai8x_firmware_stub;

/** Bytes that are put into the image's memory when main() begins. */
typedef struct ai8x_firmware_load {
	const char *symbol; /**< where they go */
	const void *bytes;
	size_t size; /**< at most what the symbol holds */
} ai8x_firmware_load;

/** The far end of a UART. */
typedef struct ai8x_firmware_uart {
	/**
	 * Gives up to @p size bytes that arrived; 0: none yet, negative: nothing will ever arrive. Waits at most
	 * @p wait_us microseconds of the world. NULL: nothing is received.
	 */
	long (*receive)(void *user, char *bytes, size_t size, unsigned wait_us);
	/** Takes what the firmware sends, besides the console; NULL: nobody does. */
	void (*send)(void *user, const char *bytes, size_t size);
	void *user;
	bool live; /**< a person or a program answers: while the firmware waits, the world's clock goes on */
} ai8x_firmware_uart;

/** UARTs of a part. */
#define AI8X_FIRMWARE_UARTS 4

/** What is connected to the chip's pins. Zero-initialise for nothing; names of files, or NULL. */
typedef struct ai8x_firmware_io {
	ai8x_firmware_uart uarts[AI8X_FIRMWARE_UARTS];
	const char *description; /**< YAML file of a board (docs/firmware.md), or NULL: the vendor's boards */
	const char *gpio;        /**< CSV file: seconds, pin or button, level */
	const char *sound;       /**< sound file that the microphone hears from the first sample on */
	const char *camera;      /**< PNG file that the camera sees, or a folder of them, one for each frame */
	const char *display;     /**< PNG file that receives what the display shows at the end */
	const char *card;        /**< image of an SD card; it is not changed */
	const char *card_out;    /**< file that receives the card as the run left it */
	double sound_level;      /**< of that sound in dB, -120 to 0: a voice at a microphone is at about -24 */
	void *reserved[7];       /**< zero: room to grow without breaking the ABI (docs/versions.md) */
} ai8x_firmware_io;

/** What surrounds the chip, and which file it runs. Zero-initialise for nothing. */
typedef struct ai8x_firmware_board {
	bool binary;   /**< the image is raw bytes; ELF files and Intel HEX are told by their content */
	uint32_t base; /**< where raw bytes lie; 0: the start of flash */
	uint32_t
		inference; /**< which one options.record records, from 1; 0: the first that ends. Also one that never
	                         ends: then the program ends as it does */
	int gdb;       /**< a listening socket on which the run waits for gdb, owned by the caller; 0: none */
	const ai8x_firmware_stub *stubs;
	size_t stub_count; /**< at most AI8X_FIRMWARE_MAX_STUBS */
	const ai8x_firmware_load *loads;
	size_t load_count;
	const char *flash_out;      /**< file that receives the flash as the run left it, or NULL */
	const ai8x_firmware_io *io; /**< what is connected, or NULL; has to outlive the session */
	const char *files; /**< folder that semihosting opens files in, and none outside of it; NULL: no files */
	const char *vcd;   /**< file that receives pins, characters, exceptions and runs by time, or NULL */
	void *reserved[5]; /**< zero: room to grow without breaking the ABI (docs/versions.md) */
} ai8x_firmware_board;

/** Most stubs of a run. */
#define AI8X_FIRMWARE_MAX_STUBS 32

/** Settings. Always start from ai8x_firmware_options_default(). */
typedef struct ai8x_firmware_options {
	const ai8x_part *part;        /**< NULL: told from stack pointer and image size */
	ai8x_machine_options machine; /**< of the accelerator */
	bool strict;                  /**< end at the first read of a register that is not modelled */
	bool record;                  /**< keep the bus operations up to the end of the first inference, see
	                                   ai8x_firmware_program() */
	uint64_t max_instructions;    /**< watchdog: executed 16-bit code units */
	double max_seconds;           /**< watchdog: simulated time */
	const char *until;            /**< end when this symbol is reached, or NULL */
	/** Console output as it is sent, or NULL. It is also in the result. */
	void (*console)(void *user, unsigned uart, const char *text, size_t size);
	/** Called after each inference, with the machine as it stands; return false to end. NULL: none. */
	bool (*inference)(void *user, ai8x_machine *machine, const ai8x_firmware_inference *inference);
	void *user;                       /**< for all three callbacks */
	const ai8x_firmware_board *board; /**< what surrounds the chip, or NULL; has to outlive the session */
	/** Called now and then while a core or the accelerator works; return false to end (AI8X_FIRMWARE_CANCELLED).
	 * NULL: none. */
	bool (*poll)(void *user);
	void *reserved[6]; /**< zero: room to grow without breaking the ABI (docs/versions.md) */
} ai8x_firmware_options;

/** @brief The default settings. */
AI8X_API ai8x_firmware_options ai8x_firmware_options_default(void);

/** A peripheral register that firmware used and that is plain storage here. */
typedef struct ai8x_firmware_register {
	uint32_t address;
	char name[32]; /**< "SPI0.STAT", or "SPI0+0x30" */
	uint64_t reads, writes;
} ai8x_firmware_register;

/** A part of the simulated time, as a power monitor tells them apart. */
typedef struct ai8x_firmware_phase {
	const char *name; /**< "active", "load" (the accelerator is written to before its start), "run" (of the
	                       accelerator), "sleep", "low power", "micro power", "standby", "backup" */
	double seconds;
	double joules; /**< of the accelerator above idle, an estimate (docs/energy.md); negative: not known */
} ai8x_firmware_phase;

/** Outcome of a run. Belongs to the session; valid until the next run or destroy. */
typedef struct ai8x_firmware_result {
	ai8x_firmware_end end;
	ai8x_status status;              /**< AI8X_OK when the core came to rest by itself, else why not */
	char message[AI8X_MESSAGE_SIZE]; /**< how it ended and where, in one line */
	bool main_returned;
	int32_t exit_code;     /**< of semihosting exit, else what main() returned, else 0 */
	uint64_t instructions; /**< executed 16-bit code units */
	double simulated_seconds;
	double wall_seconds;
	uint64_t cnn_writes, cnn_reads; /**< bus accesses to the accelerator */
	bool read_while_running;        /**< data memory was read before the accelerator was done; a chip has no
	                                access to it then */
	uint32_t address;               /**< where the core was at the end */
	char symbol[96];                /**< the same as "function+0x12", or "" */
	uint32_t polled;                /**< register that was being polled at the end, or 0 */
	char polled_name[32];
	uint32_t polled_value;
	uint64_t polls;      /**< how often in a row */
	const char *console; /**< everything printed on any UART without carriage returns, zero-terminated */
	size_t console_size;
	const ai8x_firmware_inference *inferences;
	size_t inference_count;
	const ai8x_firmware_register *registers; /**< unmodelled registers, by address */
	size_t register_count;
	const ai8x_firmware_phase *phases; /**< those that took time */
	size_t phase_count;
} ai8x_firmware_result;

/** @brief true where this build can run firmware. */
AI8X_API bool ai8x_firmware_available(void);

/** @brief true when @p bytes begin an ELF file. */
AI8X_API bool ai8x_firmware_is_elf(const void *bytes, size_t size);

/** @brief Loads an ELF file into the flash of a new chip. @param options  NULL for the defaults; copied */
AI8X_API ai8x_status ai8x_firmware_open(const char *path, const ai8x_firmware_options *options,
                                        ai8x_firmware **firmware, ai8x_error *error);
/** @brief The same from memory (copied). */
AI8X_API ai8x_status ai8x_firmware_open_memory(const void *bytes, size_t size,
                                               const ai8x_firmware_options *options, ai8x_firmware **firmware,
                                               ai8x_error *error);
/** @brief Frees a session. NULL is allowed. Does nothing in a callback of its own run. */
AI8X_API void ai8x_firmware_destroy(ai8x_firmware *firmware);

/** @brief The part of the session. */
AI8X_API const ai8x_part *ai8x_firmware_part(const ai8x_firmware *firmware);
/** @brief The accelerator, to subscribe to its events. Belongs to the session. */
AI8X_API_EXPERIMENTAL ai8x_machine *ai8x_firmware_machine(ai8x_firmware *firmware);
/** @brief Address of a symbol. @return false when the file has no such symbol */
AI8X_API bool ai8x_firmware_symbol(const ai8x_firmware *firmware, const char *name, uint32_t *address);

/**
 * @brief Resets the chip and runs until the firmware comes to rest or has to be stopped.
 * @return the result's status, or AI8X_ERR_ARGUMENT: null, or called from a callback of the same session's run;
 *         @p result may be NULL
 */
AI8X_API ai8x_status ai8x_firmware_run(ai8x_firmware *firmware, const ai8x_firmware_result **result);

/**
 * @brief What the firmware did to the accelerator up to the end of its first inference, as a program that
 *        runs without the CPU: its writes, RUN, and an EXPECT for every word it read afterwards; with
 *        machine.capture_outputs also the result of every layer.
 * @return the program, or NULL when options.record was not set or no inference finished. Belongs to the
 *         session; valid until the next run or destroy.
 */
AI8X_API const ai8x_program *ai8x_firmware_program(const ai8x_firmware *firmware);

/** @brief Hands the recorded program over to the caller, who destroys it; NULL as above. */
AI8X_API_EXPERIMENTAL ai8x_program *ai8x_firmware_take_program(ai8x_firmware *firmware);

/**
 * @brief Opens a program: a program file as ai8x_program_open() does, or an ELF file by running it and recording
 *        its first inference. So whatever takes a program can take firmware.
 * @param options  NULL for the defaults; the part also holds for firmware
 * @return AI8X_ERR_NOT_STARTED when the firmware finished no inference; the message says how it ended
 */
AI8X_API ai8x_status ai8x_firmware_open_program(const char *path, const ai8x_program_options *options,
                                                ai8x_program **program, ai8x_error *error);

/** What a run says about the firmware. */
typedef enum ai8x_firmware_verdict {
	AI8X_FIRMWARE_PASS,   /**< it says so itself */
	AI8X_FIRMWARE_FAIL,   /**< it says so itself, or its run broke */
	AI8X_FIRMWARE_SILENT, /**< it came to an end and said neither */
	AI8X_FIRMWARE_VERDICTS
} ai8x_firmware_verdict;

/** @brief Name of a verdict: "pass". */
AI8X_API const char *ai8x_firmware_verdict_name(ai8x_firmware_verdict verdict);

/** What counts as a verdict. Zero-initialise for the usual. */
typedef struct ai8x_firmware_patterns {
	const char *expect; /**< POSIX extended regular expression that a passing console has; NULL: "PASS" */
	const char *fail;   /**< the same for a failing one; NULL: "FAIL" or "mismatch" */
	void *reserved[8];  /**< zero: room to grow without breaking the ABI (docs/versions.md) */
} ai8x_firmware_patterns;

/**
 * @brief Judges a run: a fault, a refused access or a fail print is a failure; then a pass print, the symbol
 *        asked for, or the code of a semihosting exit decides.
 *
 * A watchdog's end is a failure as well, but not where @ref ai8x_firmware_patterns::expect was given and found:
 * many programs loop for ever after their test.
 * @param reason  receives one line, at least AI8X_MESSAGE_SIZE bytes
 * @return AI8X_OK (also for failures), or AI8X_ERR_ARGUMENT for a bad expression
 */
AI8X_API ai8x_status ai8x_firmware_judge(const ai8x_firmware_result *result,
                                         const ai8x_firmware_patterns *patterns,
                                         ai8x_firmware_verdict *verdict, char *reason, ai8x_error *error);

/** Comparison of an inference with a recorded program. */
typedef struct ai8x_firmware_comparison {
	uint64_t words; /**< words compared */
	uint64_t mismatches;
	size_t layers;    /**< layers compared */
	int first_layer;  /**< first layer that differs, in the program's order, or -1 */
	uint32_t address; /**< its first differing word */
	uint32_t expected, got, mask;
} ai8x_firmware_comparison;

/**
 * @brief Compares every layer of the machine's last run with the memory words that @p golden records.
 *
 * Needs machine.capture_outputs. Meant for the inference callback.
 * @return AI8X_OK: all equal; AI8X_ERR_MISMATCH: see @p comparison; AI8X_ERR_ARGUMENT: nothing to compare
 */
AI8X_API_EXPERIMENTAL ai8x_status ai8x_firmware_compare(const ai8x_machine *machine,
                                                        const ai8x_program *golden,
                                                        ai8x_firmware_comparison *comparison,
                                                        ai8x_error *error);

#ifdef __cplusplus
}
#endif
#endif
