/**
 * @file host.h
 * @brief The accelerator of a program that was compiled for the host with the stand-in headers.
 *
 * For tests that want more than the generated known-answer test: events, layer reports, memory.
 *
 * Example: docs/firmware.md, where generated code is compiled for the host.
 */
#ifndef AI8XSIM_HOST_H
#define AI8XSIM_HOST_H

#include "machine.h"

#ifdef __cplusplus
extern "C" {
#endif

/** @brief The machine that serves the accelerator's addresses in this process. Never NULL. */
ai8x_machine *ai8x_host_machine(void);

#ifdef __cplusplus
}
#endif
#endif
