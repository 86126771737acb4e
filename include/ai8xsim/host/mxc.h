/**
 * @file mxc.h
 * @brief Stands in for the vendor SDK's header of that name, so that generated cnn.c, main.c and softmax.c compile
 *        for the host. Not for firmware.
 *
 * Only what generated code uses is here, and of each only what the simulated accelerator needs; everything else
 * is accepted and does nothing. Compile with the flags of `pkg-config --cflags ai8xsim-host`; see
 * docs/firmware.md, "Without an ELF".
 */
#ifndef AI8XSIM_HOST_MXC_H
#define AI8XSIM_HOST_MXC_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Return values. */
#define E_NO_ERROR 0
#define E_SUCCESS 0
#define E_BAD_PARAM (-3)

/* Fixed-point numbers of the DSP library. */
typedef int8_t q7_t;
typedef int16_t q15_t;
typedef int32_t q31_t;
typedef int64_t q63_t;

static inline int32_t ai8x_host_saturate(int32_t value, int32_t least, int32_t most)
{
	return value < least ? least : value > most ? most : value;
}
#define __SSAT(value, bits)                                                                                  \
	ai8x_host_saturate((value), -(int32_t)(1u << ((bits)-1)), (int32_t)((1u << ((bits)-1)) - 1))
#define __USAT(value, bits) ((uint32_t)ai8x_host_saturate((value), 0, (int32_t)((1u << (bits)) - 1)))

/* What a driver function that has nothing to do returns. */
static inline int ai8x_host_nothing(void)
{
	return E_NO_ERROR;
}

/* Interrupts: the accelerator's is the only one that ever comes. */
typedef enum { CNN_FIFO_IRQn = 100, CNN_IRQn = 101 } IRQn_Type;
void ai8x_host_set_handler(int interrupt, void (*handler)(void));
void ai8x_host_wait(void);
void ai8x_host_pause(void);
#define NVIC_SetVector(interrupt, handler) ai8x_host_set_handler((int)(interrupt), (handler))
#define MXC_NVIC_SetVector(interrupt, handler) ai8x_host_set_handler((int)(interrupt), (handler))
#define NVIC_EnableIRQ(interrupt) ((void)(interrupt))
#define NVIC_DisableIRQ(interrupt) ((void)(interrupt))
#define NVIC_ClearPendingIRQ(interrupt) ((void)(interrupt))
#define __WFI() ai8x_host_wait()
#define __WFE() ai8x_host_wait()
#define __SEV() ((void)0)
/* Code that polls lets the accelerator go on, as time does on a chip. */
#define __NOP() ai8x_host_pause()
#define __ISB() ((void)0)
#define __DSB() ((void)0)
#define __DMB() ((void)0)
#define __CLREX() ((void)0)
#define __BKPT(value) ((void)(value))
#define __COMPILER_BARRIER() __asm__ volatile("" ::: "memory")
#define __get_PRIMASK() 0u
#define __set_PRIMASK(value) ((void)(value))
#define __get_BASEPRI() 0u
#define __set_BASEPRI(value) ((void)(value))
#define __get_IPSR() 0u
#define __get_CONTROL() 0u
#define __REV(value) __builtin_bswap32(value)
#define __REV16(value) ((((value)&0x00FF00FFu) << 8) | (((value) >> 8) & 0x00FF00FFu))
#define __REVSH(value) ((int16_t)__builtin_bswap16((uint16_t)(value)))
#define __ROR(value, bits) (((value) >> ((bits) % 32)) | ((value) << ((32 - (bits)) % 32)))
#define __CLZ(value) ((uint8_t)((value) == 0 ? 32 : __builtin_clz(value)))
static inline uint32_t __RBIT(uint32_t value)
{
	uint32_t result = 0;
	for (int i = 0; i < 32; i++)
		result = result << 1 | (value >> i & 1);
	return result;
}
#define __enable_irq() ((void)0)
#define __disable_irq() ((void)0)
#define MXC_LP_EnterSleepMode() ai8x_host_wait()
#define MXC_LP_ClearWakeStatus() ((void)0)

typedef struct {
	volatile uint32_t SCR, VTOR;
} ai8x_host_scb;
extern ai8x_host_scb ai8x_host_scb_registers;
#define SCB (&ai8x_host_scb_registers)
#define SCB_SCR_SLEEPDEEP_Msk (1u << 2)

/* Clocks and power. Their registers are plain words whose ready bits are always set. */
typedef struct {
	volatile uint32_t clkctrl, ipll_ctrl, pclkdiv, pclkdis0, pm, sysctrl;
} mxc_gcr_regs_t;
mxc_gcr_regs_t *ai8x_host_gcr(void);
#define MXC_GCR ai8x_host_gcr()
#define MXC_F_GCR_IPLL_CTRL_EN (1u << 0)
#define MXC_F_GCR_IPLL_CTRL_RDY (1u << 1)
#define MXC_F_GCR_PCLKDIV_CNNCLKDIV (7u << 14)
#define MXC_S_GCR_PCLKDIV_CNNCLKDIV_DIV2 (0u << 14)
#define MXC_S_GCR_PCLKDIV_CNNCLKDIV_DIV4 (1u << 14)
#define MXC_S_GCR_PCLKDIV_CNNCLKDIV_DIV8 (2u << 14)
#define MXC_S_GCR_PCLKDIV_CNNCLKDIV_DIV16 (3u << 14)
#define MXC_S_GCR_PCLKDIV_CNNCLKDIV_DIV1 (4u << 14)
#define MXC_F_GCR_PCLKDIV_CNNCLKSEL (3u << 17)
#define MXC_S_GCR_PCLKDIV_CNNCLKSEL_PCLK (0u << 17)
#define MXC_S_GCR_PCLKDIV_CNNCLKSEL_ISO (1u << 17)
#define MXC_S_GCR_PCLKDIV_CNNCLKSEL_IPLL (3u << 17)

typedef struct {
	volatile uint32_t reg0, reg1, reg2, reg3;
} mxc_gcfr_regs_t;
extern mxc_gcfr_regs_t ai8x_host_gcfr_registers;
#define MXC_GCFR (&ai8x_host_gcfr_registers)
typedef mxc_gcfr_regs_t mxc_bbfc_regs_t;
#define MXC_BBFC (&ai8x_host_gcfr_registers)

enum { MXC_SYS_CLOCK_IPO, MXC_SYS_CLOCK_ISO, MXC_SYS_CLOCK_IBRO, MXC_SYS_CLOCK_ERTCO, MXC_SYS_CLOCK_INRO };
enum { MXC_SYS_PERIPH_CLOCK_CNN = 25 };
extern uint32_t SystemCoreClock;
#define MXC_SYS_Clock_Select(clock) ((void)(clock), ai8x_host_nothing())
#define MXC_SYS_ClockEnable(clock) ((void)(clock))
#define MXC_SYS_ClockDisable(clock) ((void)(clock))
#define MXC_SYS_ClockSourceEnable(clock) ((void)(clock), ai8x_host_nothing())
#define SystemCoreClockUpdate() ((void)0)
#define MXC_ICC0 0
#define MXC_ICC_Enable(cache) ((void)(cache))
#define MXC_ICC_Disable(cache) ((void)(cache))

/* Time. The stopwatch shows simulated accelerator time, in microseconds. */
#define SEC(number) ((unsigned long)(number)*1000000ul)
#define MSEC(number) ((unsigned long)(number)*1000ul)
#define USEC(number) ((unsigned long)(number))
#define MXC_DELAY_SEC(number) SEC(number)
#define MXC_DELAY_MSEC(number) MSEC(number)
#define MXC_DELAY_USEC(number) USEC(number)
#define MXC_Delay(microseconds) ((void)(microseconds), ai8x_host_nothing())
#define MXC_TMR_Delay(timer, microseconds) ((void)(timer), (void)(microseconds))
#define MXC_TMR0 0
#define MXC_TMR1 1
#define MXC_TMR2 2
#define MXC_TMR3 3
unsigned ai8x_host_stopwatch(void);
#define MXC_TMR_SW_Start(timer) ((void)(timer))
#define MXC_TMR_SW_Stop(timer) ((void)(timer), ai8x_host_stopwatch())

/* Pins and lamps. */
typedef struct {
	volatile uint32_t out;
} mxc_gpio_regs_t;
typedef struct {
	mxc_gpio_regs_t *port;
	uint32_t mask;
	int func, pad, vssel, drvstr;
} mxc_gpio_cfg_t;
extern mxc_gpio_regs_t ai8x_host_gpio[4];
#define MXC_GPIO0 (&ai8x_host_gpio[0])
#define MXC_GPIO1 (&ai8x_host_gpio[1])
#define MXC_GPIO2 (&ai8x_host_gpio[2])
#define MXC_GPIO3 (&ai8x_host_gpio[3])
#define MXC_GPIO_PIN_0 (1u << 0)
#define MXC_GPIO_PIN_1 (1u << 1)
#define MXC_GPIO_PIN_2 (1u << 2)
#define MXC_GPIO_PIN_3 (1u << 3)
#define MXC_GPIO_PIN_4 (1u << 4)
#define MXC_GPIO_PIN_5 (1u << 5)
#define MXC_GPIO_PIN_6 (1u << 6)
#define MXC_GPIO_PIN_7 (1u << 7)
enum { MXC_GPIO_FUNC_IN, MXC_GPIO_FUNC_OUT };
enum { MXC_GPIO_PAD_NONE, MXC_GPIO_PAD_PULL_UP, MXC_GPIO_PAD_PULL_DOWN };
enum { MXC_GPIO_VSSEL_VDDIO, MXC_GPIO_VSSEL_VDDIOH };
enum { MXC_GPIO_DRVSTR_0, MXC_GPIO_DRVSTR_1, MXC_GPIO_DRVSTR_2, MXC_GPIO_DRVSTR_3 };
#define MXC_GPIO_Config(settings) ((void)(settings), ai8x_host_nothing())
#define MXC_GPIO_OutSet(port, mask) ((void)(port), (void)(mask))
#define MXC_GPIO_OutClr(port, mask) ((void)(port), (void)(mask))
#define LED_Init() ai8x_host_nothing()
#define LED_On(number) ((void)(number))
#define LED_Off(number) ((void)(number))
#define LED_Toggle(number) ((void)(number))
#define PB_Get(number) ((void)(number), ai8x_host_nothing())

/* The part: -DMAX78002, or the environment variable AI8XSIM_PART. */
void ai8x_host_choose_part(const char *name);
__attribute__((constructor)) static void ai8x_host_part(void)
{
#ifdef MAX78002
	ai8x_host_choose_part("MAX78002");
#else
	ai8x_host_choose_part("MAX78000");
#endif
}

#ifdef __cplusplus
}
#endif
#endif
