// ai8xsim run, for firmware: what cmd_run.c hands over, and what both know of each other.
#ifndef AI8XSIM_CMD_RUN_ELF_H
#define AI8XSIM_CMD_RUN_ELF_H

#include <stdbool.h>

#include "cli_options.h"

// The options of both forms, so that each can tell what belongs to the other.
extern const struct cli_option run_program_options[], run_firmware_options[];

// true when one of the arguments names an ELF file.
bool run_is_firmware(int argc, char **argv);

// The run command for ELF files.
int run_firmware(int argc, char **argv);

#endif
