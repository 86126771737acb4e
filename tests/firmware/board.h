// The little of the chip that the test firmware drives.
#ifndef TEST_BOARD_H
#define TEST_BOARD_H

#include <stdint.h>

#define CNN_INTERRUPT 101
#define REGISTER(address) (*(volatile uint32_t *)(address))
#define BYTE(address) (*(volatile uint8_t *)(address))

// Clocks, console.
void board_start(void);
void board_put(char character);
// Polls SysTick, or the cycle counter of the second core.
void board_delay(uint32_t microseconds);
// Powers the accelerator up and down, and switches its clock.
void board_cnn_on(void);
void board_cnn_off(void);
// Stopwatch on TMR0; board_stopwatch() gives microseconds.
void board_stopwatch_start(void);
uint32_t board_stopwatch(void);

#endif
