// ai8xsim run, for firmware: what cmd_run.c hands over.
#ifndef AI8XSIM_CMD_RUN_ELF_H
#define AI8XSIM_CMD_RUN_ELF_H

#include <stdbool.h>

// true when one of the arguments names an ELF file.
bool run_is_firmware(int argc, char **argv);

// The run command for ELF files.
int run_firmware(int argc, char **argv);

#endif
