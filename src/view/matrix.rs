use base64::Engine as _;
pub fn pack_weights(w: &[f32]) -> String {
    base64::engine::general_purpose::STANDARD
        .encode(w.iter().flat_map(|w| w.to_le_bytes()).collect::<Vec<u8>>())
}
pub fn thumbnail_bytes(w: &[f32]) -> Vec<u8> {
    w.iter().map(|_| 0).collect()
}
