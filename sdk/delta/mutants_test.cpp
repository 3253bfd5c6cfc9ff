// Figure 14 of the reliability tests: mutants of valid deltas. One that breaks the canonical form
// by its making is refused; any other is refused or is another delta in its own canonical form, so
// that no two byte strings are ever taken for one delta. The long set runs with RHIZOME_SOAK.
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <random>

#include "encode_again.hpp"
#include "random_delta.hpp"
#include "rhizome/testing/scale.hpp"

namespace rhizome {
namespace {

using testing_support::RandomDelta;
using testing_support::Tape;

// Where an item of canonical CBOR begins, and what follows its head.
struct Item {
  std::size_t begin = 0, content = 0, end = 0;
  unsigned major = 0;
  std::uint64_t value = 0;
  std::vector<std::size_t> children;  // indexes of the items inside, in order
};

// Every item of valid canonical claims, an outer one before its inner ones.
class Items {
 public:
  explicit Items(const std::string& bytes) : bytes_(bytes) { walk(0); }
  const std::vector<Item>& all() const { return items_; }

 private:
  std::size_t walk(std::size_t begin) {
    const std::size_t index = items_.size();
    Item item;
    item.begin = begin;
    const auto head = static_cast<unsigned char>(bytes_[begin]);
    item.major = head >> 5;
    const unsigned info = head & 31;
    const std::size_t more = info < 24 ? 0 : std::size_t{1} << (info - 24);
    item.value = more == 0 ? info : 0;
    for (std::size_t i = 0; i < more; ++i)
      item.value = item.value << 8 | static_cast<unsigned char>(bytes_[begin + 1 + i]);
    item.content = item.end = begin + 1 + more;
    items_.push_back(item);
    if (item.major == 2 || item.major == 3) items_[index].end += item.value;
    std::uint64_t inner = item.major == 4 ? item.value : item.major == 5 ? 2 * item.value : 0;
    for (; inner > 0; --inner) {
      items_[index].children.push_back(items_.size());
      items_[index].end = walk(items_[index].end);
    }
    return items_[index].end;
  }
  const std::string& bytes_;
  std::vector<Item> items_;
};

class Mutants {
 public:
  explicit Mutants(std::uint64_t seed) : random_(seed) {}

  std::string valid() {
    std::vector<std::uint32_t> choices(400);
    for (std::uint32_t& choice : choices) choice = static_cast<std::uint32_t>(random_());
    Tape tape(std::move(choices));
    return RandomDelta(tape).claims().canonical;
  }

  // ---- always wrong
  std::string trailing(std::string bytes) { return bytes + static_cast<char>(random_()); }
  std::string cut(std::string bytes) {
    bytes.resize(below(bytes.size()));
    return bytes;
  }
  // A length, count or float in a longer form than it needs.
  std::string longer(std::string bytes) {
    const Item item = pick(bytes, [](const Item& i) { return i.major >= 2 && i.major <= 5; });
    const std::size_t size = item.content - item.begin;  // 1, 2, 3, 5
    const std::size_t wider = size < 3 ? size : size == 3 ? 4 : 8;
    std::string head(1, static_cast<char>(item.major << 5 | (size == 1   ? 24
                                                             : size == 2 ? 25
                                                             : size == 3 ? 26
                                                                         : 27)));
    for (std::size_t i = wider; i > 0; --i)
      head.push_back(static_cast<char>(item.value >> (8 * (i - 1))));
    return bytes.replace(item.begin, size, head);
  }
  std::string indefinite(std::string bytes) {
    const Item item = pick(bytes, [](const Item& i) { return i.major >= 2 && i.major <= 5; });
    bytes.insert(item.end, 1, '\xff');
    if (item.major == 4 || item.major == 5)
      return bytes.replace(item.begin, item.content - item.begin, 1,
                           static_cast<char>(item.major << 5 | 31));
    return bytes.insert(item.begin, 1, static_cast<char>(item.major << 5 | 31));
  }
  std::string tagged(std::string bytes) {
    const Item item = pick(bytes, [](const Item&) { return true; });
    return bytes.insert(item.begin, 1, static_cast<char>(0xc0 | below(24)));
  }
  // A float as an integer, not a number, an infinity, minus zero, null or undefined.
  std::string other_number(std::string bytes) {
    const Item item =
        pick(bytes, [](const Item& i) { return i.major == 7 && i.content - i.begin > 1; });
    const std::string instead[] = {{"\x05", 1},         {"\x20", 1},         {"\xf9\x7e\x00", 3},
                                   {"\xf9\x7c\x00", 3}, {"\xf9\x80\x00", 3}, {"\xf6", 1},
                                   {"\xf7", 1}};
    return bytes.replace(item.begin, item.end - item.begin, instead[below(std::size(instead))]);
  }
  std::string keys_swapped(std::string bytes) {
    const Items items(bytes);
    const Item map = pick(items, [](const Item& i) { return i.major == 5 && i.value >= 2; });
    const std::size_t entry = below(map.value - 1);
    const auto& at = [&](std::size_t child) { return items.all()[map.children[child]]; };
    const std::size_t first = at(2 * entry).begin, second = at(2 * entry + 2).begin;
    const std::size_t end = at(2 * entry + 3).end;
    const std::string moved = bytes.substr(first, second - first);
    return bytes.substr(0, first) + bytes.substr(second, end - second) + moved + bytes.substr(end);
  }
  std::string key_repeated(std::string bytes) {
    const Items items(bytes);
    const Item map = pick(items, [](const Item& i) { return i.major == 5; });
    const std::size_t begin = items.all()[map.children[0]].begin;
    const std::size_t end = items.all()[map.children[1]].end;
    bytes.insert(end, bytes.substr(begin, end - begin));
    bytes[map.begin] = static_cast<char>(bytes[map.begin] + 1);
    return bytes;
  }

  // ---- perhaps another delta
  std::string bit_flipped(std::string bytes) {
    const std::size_t at = below(bytes.size());
    bytes[at] = static_cast<char>(bytes[at] ^ 1 << below(8));
    return bytes;
  }
  std::string byte_inserted(std::string bytes) {
    return bytes.insert(below(bytes.size()), 1, static_cast<char>(random_()));
  }
  std::string byte_removed(std::string bytes) { return bytes.erase(below(bytes.size()), 1); }
  std::string byte_replaced(std::string bytes) {
    const std::size_t at = below(bytes.size());
    bytes[at] = static_cast<char>(bytes[at] + 1 + static_cast<int>(below(255)));
    return bytes;
  }

 private:
  std::size_t below(std::size_t count) { return random_() % count; }
  Item pick(const std::string& bytes, const std::function<bool(const Item&)>& fits) {
    return pick(Items(bytes), fits);
  }
  Item pick(const Items& items, const std::function<bool(const Item&)>& fits) {
    std::vector<Item> fitting;
    for (const Item& item : items.all())
      if (fits(item)) fitting.push_back(item);
    return fitting[below(fitting.size())];  // claims have a map, a text and a float
  }
  std::mt19937_64 random_;
};

struct Class {
  const char* name;
  std::string (Mutants::*make)(std::string);
  bool always_wrong;
};
constexpr Class kClasses[] = {{"trailing byte", &Mutants::trailing, true},
                              {"cut", &Mutants::cut, true},
                              {"longer form", &Mutants::longer, true},
                              {"indefinite length", &Mutants::indefinite, true},
                              {"tagged", &Mutants::tagged, true},
                              {"another number", &Mutants::other_number, true},
                              {"keys swapped", &Mutants::keys_swapped, true},
                              {"key repeated", &Mutants::key_repeated, true},
                              {"bit flipped", &Mutants::bit_flipped, false},
                              {"byte inserted", &Mutants::byte_inserted, false},
                              {"byte removed", &Mutants::byte_removed, false},
                              {"byte replaced", &Mutants::byte_replaced, false}};

std::uint64_t seed() {
  const char* given = std::getenv("RHIZOME_SEED");
  const std::uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::printf("RHIZOME_SEED=%llu\n", static_cast<unsigned long long>(seed));
  return seed;
}

TEST(Mutants, OfValidDeltasAreRefusedOrAreAnotherDelta) {
  const int rounds =
      testing_support::scaled(100'000, 10'000'000) / static_cast<int>(std::size(kClasses));
  Mutants mutants(seed());
  std::size_t others = 0;
  DeltaBatch batch;
  for (int round = 0; round <= rounds; ++round) {
    const std::string valid = mutants.valid();
    batch.clear();
    ASSERT_EQ(decode_claims(valid, batch), DecodeError::kNone);
    ASSERT_EQ(encode_again(batch[0]), valid);
    for (const Class& kind : kClasses) {
      const std::string mutant = (mutants.*kind.make)(valid);
      batch.clear();
      const DecodeError error = decode_claims(mutant, batch);
      if (error != DecodeError::kNone) {
        ASSERT_TRUE(batch.empty());
        continue;
      }
      ASSERT_FALSE(kind.always_wrong) << kind.name << ": " << to_hex(mutant);
      ASSERT_NE(mutant, valid) << kind.name;
      ASSERT_EQ(encode_again(batch[0]), mutant) << kind.name << ": " << to_hex(mutant);
      ++others;
    }
  }
  EXPECT_GT(others, 0u) << "a flipped bit in a text is another delta";
}

}  // namespace
}  // namespace rhizome
