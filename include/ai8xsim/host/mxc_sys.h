/**
 * @file mxc_sys.h
 * @brief Stands in for the vendor SDK's header of that name; see mxc.h.
 */
#ifndef AI8XSIM_HOST_MXC_SYS_H
#define AI8XSIM_HOST_MXC_SYS_H

#include "mxc.h"

#endif
