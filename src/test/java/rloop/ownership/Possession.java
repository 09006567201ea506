package rloop.ownership;

/** How whoever has a value has the reference that it is. */
enum Possession {
  /** No reference, or one of which the mark of the method tells that calls C. */
  NEUTRAL,
  /** Somebody else's. */
  BORROWED,
  /** A field's, that is, the object's. */
  KEPT,
  /** The method's own, which it has to give to somebody. */
  OWN;

  /** Whether it can be given away. */
  boolean isOwned() {
    return this != BORROWED;
  }
}
