//! The Xietong binary: one process, or one service of the mesh.
