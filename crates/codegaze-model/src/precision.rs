//! The arithmetic of the encoder's linear layers.

use codegaze_text::named_enum;

named_enum! {
    /// How the weights of linear layers are stored and multiplied. A row here needs a `Linear` in each backend of
    /// [`kernels`](crate::kernels) that supports it, and an arm in [`Device`](crate::Device).
    #[derive(Default)]
    pub enum Precision as "precision" {
        /// 32-bit floating point.
        #[default]
        F32 = "f32", "32-bit floating point, exact to the published weights";
    }
}
