// What may come from outside as JSON: within bounds a tree, beyond them an error and no crash.
#include "json/bounded.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rhizome {
namespace {

using testing::HasSubstr;

std::string repeated(const char* text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

TEST(BoundedJson, GivesTheTree) {
  const auto value = parse_json(R"({"a":[1,2.5,"x"],"b":null})");
  ASSERT_TRUE(value.ok()) << value.status().to_string();
  EXPECT_EQ((*value)["a"][2], "x");
}

TEST(BoundedJson, NestingThatWouldOverflowTheStackIsRefusedBeforeATreeIsBuilt) {
  for (const char* open : {"[", "{\"a\":", "[{\"\":"}) {
    const auto value = parse_json(repeated(open, 500'000));
    ASSERT_FALSE(value.ok());
    EXPECT_EQ(value.code(), Code::kLimit);
    EXPECT_THAT(value.status().message(), HasSubstr("nested deeper than 128"));
  }
}

TEST(BoundedJson, DepthUpToTheBoundIsReadAndOneMoreIsNot) {
  const JsonBounds bounds{1024, 3, 100};
  EXPECT_TRUE(parse_json("[[[]]]", bounds).ok());
  EXPECT_TRUE(parse_json("[[[]],[[]],{\"a\":[]}]", bounds).ok());
  EXPECT_EQ(parse_json("[[[[]]]]", bounds).code(), Code::kLimit);
}

TEST(BoundedJson, BracketsAndCommasInTextsDoNotCount) {
  const JsonBounds bounds{1024, 1, 3};
  EXPECT_TRUE(parse_json(R"(["[[[[,,,,\"[[[,,","]]]]\\"])", bounds).ok());
}

TEST(BoundedJson, ManyValuesInFewBytesAreRefused) {
  const auto value = parse_json("[" + repeated("0,", 70'000) + "0]", {1u << 20, 4, 65'536});
  EXPECT_EQ(value.code(), Code::kLimit);
  EXPECT_EQ(parse_json("[" + repeated("[],", 70'000) + "0]", {1u << 20, 4, 65'536}).code(),
            Code::kLimit);
}

TEST(BoundedJson, SizeIsBounded) {
  EXPECT_EQ(parse_json("\"" + repeated("x", 100) + "\"", {64, 4, 4}).code(), Code::kLimit);
}

TEST(BoundedJson, WhatIsNotJsonIsToldWithItsPlace) {
  const auto value = parse_json(R"({"a": nil})");
  EXPECT_EQ(value.code(), Code::kInvalid);
  EXPECT_THAT(value.status().message(), HasSubstr("not JSON at byte 8"));
  for (const char* wrong : {"", "]", "[1", "{\"a\"}", "[1] [2]", "\"\xff\"", "1e999"})
    EXPECT_EQ(parse_json(wrong).code(), Code::kInvalid) << wrong;
}

}  // namespace
}  // namespace rhizome
