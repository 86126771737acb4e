/**
 * @file bbfc_regs.h
 * @brief Stands in for the vendor SDK's header of that name; see mxc.h.
 */
#ifndef AI8XSIM_HOST_BBFC_REGS_H
#define AI8XSIM_HOST_BBFC_REGS_H

#include "mxc.h"

#endif
