// SPDX-License-Identifier: GPL-2.0-only
/* Numbers that a seed decides: xorshift64*, after splitmix64 has spread the seed. */
#include <string.h>
#include "random.h"

static uint64_t state;

void seed(uint64_t value)
{
	value += 0x9e3779b97f4a7c15;
	value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
	value = (value ^ value >> 27) * 0x94d049bb133111eb;
	state = value | 1;
}

static uint64_t draw64(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545f4914f6cdd1d;
}

/* 0 to @below - 1 */
uint32_t draw(uint32_t below)
{
	return (uint32_t)((draw64() >> 32) * below >> 32);
}

bool chance(uint32_t percent)
{
	return draw(100) < percent;
}

void fill(uint8_t *to, size_t len)
{
	uint64_t value;

	for (; len >= sizeof(value); to += sizeof(value), len -= sizeof(value)) {
		value = draw64();
		memcpy(to, &value, sizeof(value));
	}
	value = draw64();
	memcpy(to, &value, len);
}

/* Up to so many bytes become others, of the first 48 most of all: headers are there. */
void mutate(uint8_t *at, size_t len, uint32_t changes)
{
	static const uint8_t edge[] = { 0, 1, 0x7f, 0x80, 0xfe, 0xff };
	uint32_t i;

	if (!len)
		return;
	for (changes = draw(changes + 1), i = 0; i < changes; i++) {
		size_t k = draw((uint32_t)(len > 48 && chance(70) ? 48 : len));

		switch (draw(3)) {
		case 0: at[k] ^= (uint8_t)(1 << draw(8)); break;
		case 1: at[k] = edge[draw(sizeof(edge))]; break;
		default: at[k] = (uint8_t)draw(256);
		}
	}
}
