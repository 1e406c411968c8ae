//! The order of the trail, who follows it, and what they tell.

diesel::table! {
    trail (id) {
        id -> BigInt,
        epoch -> BigInt,
    }
}
