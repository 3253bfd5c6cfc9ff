// For tests: a random delta made from a tape of choices. A tape shrinks well (RapidCheck takes
// numbers away or makes them smaller), and any generator of numbers can fill one.
#pragma once

#include <cmath>
#include <deque>
#include <string>
#include <vector>

#include "rhizome/delta/codec.hpp"
#include "rhizome/delta/signature.hpp"

namespace rhizome::testing_support {

class Tape {
 public:
  explicit Tape(std::vector<std::uint32_t> choices) : choices_(std::move(choices)) {}
  // Below `count`; 0 when the tape is at its end.
  std::uint32_t below(std::uint32_t count) {
    return at_ < choices_.size() ? choices_[at_++] % count : 0;
  }

 private:
  std::vector<std::uint32_t> choices_;
  std::size_t at_ = 0;
};

// Claims with the strings that their pointers borrow.
struct RandomClaims {
  std::deque<std::string> strings;
  std::string author;
  double timestamp = 0;
  std::vector<Pointer> pointers;
  std::string canonical;
};

class RandomDelta {
 public:
  explicit RandomDelta(Tape& tape) : tape_(tape) {}

  RandomClaims claims() {
    RandomClaims made;
    made.author = text();
    made.timestamp = std::abs(number());
    const std::uint32_t count = 1 + tape_.below(tape_.below(8) == 0 ? 40 : 5);
    for (std::uint32_t i = 0; i < count; ++i) made.pointers.push_back(pointer(made));
    if (!encode_claims(made.author, made.timestamp, made.pointers, made.canonical).ok())
      throw std::runtime_error("the generator made no delta");
    return made;
  }

 private:
  // Never empty; of one to four bytes a character, control characters and quotes among them.
  std::string text() {
    std::string out;
    const std::uint32_t size = 1 + tape_.below(tape_.below(10) == 0 ? 300 : 8);
    for (std::uint32_t i = 0; i < size; ++i) append_utf8(character(), out);
    return out;
  }
  std::uint32_t character() {
    switch (tape_.below(6)) {
      case 0:
        return tape_.below(0x20);
      case 1:
        return 0x80 + tape_.below(0x780);
      case 2:
        return 0x800 + tape_.below(0xd000);
      case 3:
        return 0x10000 + tape_.below(0x100000);
      default:
        return 0x20 + tape_.below(0x60);
    }
  }
  static void append_utf8(std::uint32_t c, std::string& out) {
    const auto tail = [&out](std::uint32_t bits) {
      out.push_back(static_cast<char>(0x80 | (bits & 0x3f)));
    };
    if (c < 0x80) {
      out.push_back(static_cast<char>(c));
    } else if (c < 0x800) {
      out.push_back(static_cast<char>(0xc0 | c >> 6));
      tail(c);
    } else if (c < 0x10000) {
      out.push_back(static_cast<char>(0xe0 | c >> 12));
      tail(c >> 6);
      tail(c);
    } else {
      out.push_back(static_cast<char>(0xf0 | c >> 18));
      tail(c >> 12);
      tail(c >> 6);
      tail(c);
    }
  }
  // Of every width that the canonical form has.
  double number() {
    const double sign = tape_.below(2) == 0 ? 1 : -1;
    switch (tape_.below(5)) {
      case 0:
        return 0;
      case 1:
        return sign * tape_.below(2048);
      case 2:
        return sign * static_cast<float>(tape_.below(1u << 24)) / 1024.0F;
      case 3:
        return sign * std::ldexp(1 + tape_.below(1000) / 1000.0,
                                 static_cast<int>(tape_.below(2040)) - 1020);
      default:
        return sign * (1.7e12 + tape_.below(~0u) / 4096.0);
    }
  }
  Pointer pointer(RandomClaims& made) {
    const auto keep = [&made](std::string string) -> ByteView {
      return made.strings.emplace_back(std::move(string));
    };
    const ByteView role = keep(text());
    switch (tape_.below(6)) {
      case 0:
        return {role, number()};
      case 1:
        return {role, tape_.below(2) == 0};
      case 2:
        return {role, EntityRef{keep(text()), tape_.below(3) == 0 ? ByteView() : keep(text())}};
      case 3:
        return {role, DeltaRef{keep(DeltaId::of_claims(text()).hex()),
                               tape_.below(2) == 0 ? ByteView() : keep(text())}};
      case 4: {
        std::string bytes;
        for (std::uint32_t i = tape_.below(40); i > 0; --i)
          bytes.push_back(static_cast<char>(tape_.below(256)));
        return {role, BytesTarget{keep(text()), keep(std::move(bytes))}};
      }
      default:
        return {role, tape_.below(8) == 0 ? ByteView() : keep(text())};
    }
  }

  Tape& tape_;
};

}  // namespace rhizome::testing_support
