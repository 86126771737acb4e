/**
 * @file mxc_device.h
 * @brief Stands in for the vendor SDK's header of that name; see mxc.h.
 */
#ifndef AI8XSIM_HOST_MXC_DEVICE_H
#define AI8XSIM_HOST_MXC_DEVICE_H

#include "mxc.h"

#endif
