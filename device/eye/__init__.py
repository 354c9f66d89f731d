"""eye sees: it reads frames while a window is open, finds the face, and hands on one embedding an approach."""
