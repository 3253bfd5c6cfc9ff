// The C table of librhizome-client with structs of applications of other times, and C++ values.
#include "structs.hpp"
#include "testing.hpp"

namespace rhizome {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// The C table, with structs of applications of other times.
struct TableTest : ClientTest {
  TableTest() {
    const rz_client_options options{sizeof options, 0, to_abi(ByteView(served.path)), 0, 0, 0};
    EXPECT_EQ(api->open(&options, &made, &error), RZ_OK) << error.message;
  }
  ~TableTest() override {
    end();
    api->close(made);
  }
  void end() {
    if (call != nullptr) api->end(call);
    call = nullptr;
  }
  // The code of the beginning, or of the first event.
  std::int32_t query(const rz_query* asked) {
    end();
    const std::int32_t code = api->query(made, asked, &call, &error);
    rz_event event{};
    event.struct_size = sizeof event;
    return code == RZ_OK ? api->next(call, RZ_WAIT_FOREVER, &event, &error) : code;
  }

  const rz_client_api* api = rhizome_client_api(RZ_CLIENT_API);
  rz_client* made = nullptr;
  rz_call* call = nullptr;
  rz_error error{};
};

TEST_F(TableTest, SaysItsSizeAndItsVersion) {
  EXPECT_EQ(rhizome_client_api(RZ_CLIENT_API + 1), nullptr);
  EXPECT_EQ(api->version, RZ_CLIENT_API);
  EXPECT_TRUE(RZ_HAS(rz_client_api, api, end));
  EXPECT_EQ(api->struct_size, sizeof(rz_client_api));
}

TEST_F(TableTest, AStructSmallerThanItsFirstVersionIsRefusedAndNoCallIsMade) {
  rz_query asked{};
  call = reinterpret_cast<rz_call*>(1);
  for (const std::uint32_t size : {0u, 8u, 104u, 113u, 100'000u}) {
    asked.struct_size = size;
    EXPECT_EQ(api->query(made, &asked, &call, &error), RZ_INVALID) << size;
    EXPECT_THAT(error.message, HasSubstr("rz_query: expected a struct_size"));
    EXPECT_EQ(call, nullptr);
  }
  EXPECT_EQ(api->get(made, nullptr, &call, &error), RZ_INVALID);
  rz_client* none = made;
  const rz_client_options options{};
  EXPECT_EQ(api->open(&options, &none, &error), RZ_INVALID);
  EXPECT_EQ(none, nullptr);
}

TEST_F(TableTest, ALaterApplicationsLargerStructIsTakenUnlessItAsksWhatTheLibraryDoesNotKnow) {
  struct {
    rz_query query;
    std::uint64_t later = 0;
  } asked{};
  asked.query.struct_size = sizeof asked;
  EXPECT_EQ(query(&asked.query), RZ_OK) << error.message;
  asked.later = 1;
  EXPECT_EQ(query(&asked.query), RZ_UNSUPPORTED);
  EXPECT_THAT(error.message, HasSubstr("newer librhizome-client"));
  asked = {};
  asked.query.struct_size = sizeof asked;
  asked.query.flags = 0x8000;
  EXPECT_EQ(query(&asked.query), RZ_UNSUPPORTED);
  EXPECT_THAT(error.message, HasSubstr("rz_query.flags"));
}

TEST_F(TableTest, StructsOfALaterApplicationInAnArrayAreFoundByTheirStride) {
  struct Role {
    rz_role role;
    std::uint64_t later = 0;
  };
  struct Draft {
    rz_draft draft;
    std::uint64_t later = 0;
  };
  const auto text = [](const char* value) { return to_abi(ByteView(value)); };
  Role roles[2] = {{{text("subject"), {RZ_TARGET_ENTITY, 0, 0, text("e"), text("p")}}},
                   {{text("value"), {RZ_TARGET_NUMBER, 0, 7, {}, {}}}}};
  const Draft drafts[2] = {{{&roles[0].role, 2, sizeof(Role), 1000}},
                           {{&roles[0].role, 2, sizeof(Role), 2000}}};
  const rz_write asked{sizeof asked, 0, &drafts[0].draft, 2, sizeof(Draft), nullptr};
  ASSERT_EQ(api->write(made, &asked, &call, &error), RZ_OK) << error.message;
  struct {
    rz_event event;
    std::uint64_t later = 5;
  } large{};
  large.event.struct_size = sizeof large;
  ASSERT_EQ(api->next(call, RZ_WAIT_FOREVER, &large.event, &error), RZ_OK) << error.message;
  EXPECT_EQ(large.event.struct_size, sizeof large);
  EXPECT_EQ(large.event.written->added, 2u);
  EXPECT_EQ(large.later, 0u);
  end();
  roles[1].later = 1;
  EXPECT_EQ(api->write(made, &asked, &call, &error), RZ_UNSUPPORTED);
  EXPECT_THAT(error.message, HasSubstr("draft 1"));
}

// What becomes of today's applications when the structs have grown.
TEST(Structs, AnEarlierApplicationsSmallerStructIsTakenAndTheRestIsZero) {
  struct {
    std::uint64_t first[2], later;
  } known{};
  const std::uint64_t given[2] = {1, 2};
  const client_core::Shape shape{"rz_any", 16, 0};
  ASSERT_TRUE(client_core::check_size(sizeof given, shape).ok());
  known.later = 9;
  ASSERT_TRUE(client_core::copy_struct(given, sizeof given, shape, &known, sizeof known).ok());
  EXPECT_THAT(known.first, ElementsAre(1, 2));
  EXPECT_EQ(known.later, 0u);
}

TEST_F(TableTest, OnlyStreamsArePausedAndCancelled) {
  const rz_get asked{sizeof asked, 0, to_abi(ByteView("e")), {}, {}, nullptr};
  ASSERT_EQ(api->get(made, &asked, &call, &error), RZ_OK);
  EXPECT_EQ(api->pause(call, &error), RZ_UNSUPPORTED);
  EXPECT_EQ(api->resume(call, &error), RZ_UNSUPPORTED);
  EXPECT_EQ(api->cancel(call, nullptr), RZ_UNSUPPORTED);
}

template <typename From>
concept MakesAValue = requires(From from) {
  c::Value::of(from);
};

// A text became true, and a whole number did not compile.
TEST(Value, IsOfTheKindOfWhatItIsMadeFrom) {
  EXPECT_EQ(c::Value::of("text").kind, RZ_TARGET_STRING);
  EXPECT_EQ(c::Value::of(std::string("text")).text, "text");
  EXPECT_EQ(c::Value::of(true).kind, RZ_TARGET_BOOLEAN);
  EXPECT_EQ(c::Value::of(1999).kind, RZ_TARGET_NUMBER);
  EXPECT_EQ(c::Value::of(1999u).number, 1999);
  static_assert(!MakesAValue<int*> && !MakesAValue<void*> && !MakesAValue<std::nullptr_t> &&
                !MakesAValue<char>);
}

}  // namespace
}  // namespace rhizome
