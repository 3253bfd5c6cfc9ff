// Sums that do not depend on the order of their numbers.
#include "exact_sum.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace rhizome::standard {
namespace {

constexpr double kMax = std::numeric_limits<double>::max();
constexpr double kLeast = std::numeric_limits<double>::denorm_min();

std::optional<double> sum_of(const std::vector<double>& numbers, std::uint64_t divisor = 1) {
  ExactSum sum;
  for (const double number : numbers) sum.add(number);
  return sum.divided_by(divisor);
}

TEST(ExactSum, WhatPlainAdditionLosesIsKept) {
  EXPECT_EQ(sum_of({1e16, 1, -1e16}), 1);
  EXPECT_EQ(sum_of({1, 1e100, 1, -1e100}), 2);
  EXPECT_EQ(sum_of({0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1}), 1);
}

TEST(ExactSum, TheEndsOfTheRangeAreExact) {
  EXPECT_EQ(sum_of({}), 0);
  EXPECT_EQ(sum_of({kLeast}), kLeast);
  EXPECT_EQ(sum_of({-kLeast}), -kLeast);
  EXPECT_EQ(sum_of({kMax}), kMax);
  EXPECT_EQ(sum_of({kMax, kLeast, -kMax}), kLeast);
  EXPECT_EQ(sum_of({-kMax, kMax}), 0);
}

TEST(ExactSum, ASumThatNoDoubleHoldsIsNoneAndItsMeanIsOne) {
  EXPECT_EQ(sum_of({kMax, kMax}), std::nullopt);
  EXPECT_EQ(sum_of({-kMax, -kMax}), std::nullopt);
  EXPECT_EQ(sum_of({kMax, kMax}, 2), kMax);
}

TEST(ExactSum, TheOrderOfTheNumbersChangesNoBit) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 2000; ++round) {
    std::vector<double> numbers;
    while (numbers.size() < 1U + static_cast<unsigned>(round) % 20) {
      const double number = std::bit_cast<double>(random());
      if (std::isfinite(number)) numbers.push_back(number);
    }
    const auto before = sum_of(numbers);
    std::shuffle(numbers.begin(), numbers.end(), random);
    ASSERT_EQ(sum_of(numbers), before);
  }
}

TEST(ExactSum, WholeNumbersSumAsIntegersDo) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 500; ++round) {
    ExactSum sum;
    std::int64_t expected = 0;
    for (int i = 0; i < 100; ++i) {
      const auto number = static_cast<std::int64_t>(random() >> 20) - (std::int64_t{1} << 43);
      sum.add(static_cast<double>(number));
      expected += number;
    }
    ASSERT_EQ(sum.divided_by(1), static_cast<double>(expected));
  }
}

TEST(ExactSum, TakingNumbersOutGivesTheSumOfTheRest) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 500; ++round) {
    ExactSum sum;
    std::vector<double> rest;
    for (int i = 0; i < 20; ++i) {
      const double number = std::bit_cast<double>(random());
      if (!std::isfinite(number)) continue;
      sum.add(number);
      if (i % 2 == 0)
        sum.remove(number);
      else
        rest.push_back(number);
    }
    ASSERT_EQ(sum.divided_by(1), sum_of(rest));
  }
}

}  // namespace
}  // namespace rhizome::standard
