/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers that a seed decides, and bytes made of them. */
#ifndef RANDOM_H
#define RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void seed(uint64_t value);
uint32_t draw(uint32_t below);
bool chance(uint32_t percent);
void fill(uint8_t *to, size_t len);
void mutate(uint8_t *at, size_t len, uint32_t changes);

#endif /* RANDOM_H */
