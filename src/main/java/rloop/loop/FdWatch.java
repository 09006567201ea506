package rloop.loop;

import static rloop.posix.Constants.ENOENT;

import org.jspecify.annotations.Nullable;
import rloop.cpython.object.PyException;
import rloop.io.Channel;
import rloop.io.poll.Poller;
import rloop.io.poll.Readiness;
import rloop.io.relay.Notes;

/**
 * A descriptor that user code owns, with at most one waiter in each direction.
 *
 * <p>It may stay registered without a waiter: who waits for a socket again and again ({@code
 * sock_recv}) then costs no system call but the one that does the work. Only when the descriptor
 * gets ready and nobody waits is the poller told.
 *
 * <p>The loop isn't told when the file is closed. Who comes with nothing but a number ({@code
 * add_reader}), or with another socket than the last, has the poller asked whether its registration
 * is of the file that has the number now; if it is not, those who waited for the old file wait no
 * more. Who comes with the same socket again waits at once, and the poller is asked when the loop
 * has nothing else to do: the number of a socket changes its file by {@code dup2} alone.
 */
public final class FdWatch extends Channel implements Notes.Noted {
  // What an I/O thread notes.
  private static final int READY = 0;
  private static final int DISPLACED = 1;
  private static final int FILE_GONE = 2;

  private final EventLoop loop;
  private @Nullable Waiter reader;
  private @Nullable Waiter writer;

  /** The directions in which somebody waits for whom the poller was not asked yet. */
  private int unconfirmed;

  /** Whether {@link FdWatches} is to have that done. */
  private boolean isToBeConfirmed;

  FdWatch(EventLoop loop, int fd) {
    super(fd);
    this.loop = loop;
  }

  @Override
  public void retell(int event, long directions, long b) {
    switch (event) {
      case READY -> {
        int still = Readiness.of(fd(), (int) directions); // it may be gone by now
        if (still != 0 && isStillThatFile()) {
          ready(still);
        }
      }
      case DISPLACED -> displaced((int) directions);
      case FILE_GONE -> fileGone();
      default -> throw new IllegalArgumentException("no event of a watch: " + event);
    }
  }

  /** Notes, on an I/O thread, what happened; returns whether that is one. */
  private boolean note(int event, int directions) {
    Notes notes = loop.io().notes(FIRST_SHARE);
    if (notes == null || !notes.areTaken()) {
      return false;
    }
    notes.add(this, event, directions, 0);
    return true;
  }

  @Override
  protected void ready(int readiness) {
    if (note(READY, readiness)) {
      return;
    }
    int unwanted = readiness & ~wanted(); // before who waits is satisfied
    if ((readiness & Poller.READ) != 0 && reader != null) {
      reader.ready();
    }
    if ((readiness & Poller.WRITE) != 0 && writer != null) {
      writer.ready();
    }
    if (unwanted != 0) {
      watch(wanted());
    }
  }

  /**
   * Whether the number is still that of the file for which it was noted: that one may have been
   * closed since, and another one may be ready.
   */
  private boolean isStillThatFile() {
    if (!isByNumber(reader) && !isByNumber(writer)) {
      return true;
    }
    int status = check(loop.confirm(this));
    if (status == -ENOENT) {
      watch(wanted());
    }
    return status == 0;
  }

  private static boolean isByNumber(@Nullable Waiter waiter) {
    return waiter != null && waiter.isByNumber();
  }

  // ---- waiting -------------------------------------------------------------------------------

  /**
   * Has somebody wait for the file that has the number now, in place of who did.
   *
   * @param direction {@link Poller#READ} or WRITE
   * @throws PyException if the kernel refuses, an {@code OSError}
   */
  public void await(int direction, Waiter waiter) {
    int interest = wanted() | direction;
    int status = isWatched(interest) ? check(loop.confirm(this)) : watch(interest);
    if (status == -ENOENT) {
      status = watch(wanted() | direction);
    }
    PyException.checkErrno(status);
    replace(direction, waiter);
    if ((wanted() & direction) != 0 && !isWatched(direction)) {
      watch(wanted()); // whoever was let in has found nobody waiting
    }
  }

  private int watch(int interest) {
    return check(loop.tryToWatch(this, interest));
  }

  private int check(int status) {
    if (status < 0) {
      fileGone();
    }
    return status;
  }

  /** As {@link #await}, if the poller {@link #isRegistered} for that file, as far as is known. */
  public void awaitAgain(int direction, Waiter waiter) {
    replace(direction, waiter);
    unconfirmed |= direction;
    if (!isToBeConfirmed) {
      isToBeConfirmed = true;
      loop.fdWatches().confirmLater(this);
    }
  }

  /** Whether the poller watches that direction: it then tells of everything new. */
  public boolean isRegistered(int direction) {
    return isWatched(direction);
  }

  /** Which registration that is: another number whenever the poller was told anew. */
  public int registrationNumber() {
    return registration();
  }

  /** Asks the poller for those who have begun to wait since it was told. */
  void confirm() {
    isToBeConfirmed = false;
    if ((unconfirmed & wanted()) != 0 && check(loop.confirm(this)) == -ENOENT) {
      watch(wanted());
    }
    unconfirmed = 0;
  }

  /** The waiter has got what it waited for; the descriptor stays registered. */
  public void satisfied(int direction) {
    unconfirmed &= ~direction;
    if (direction == Poller.READ) {
      reader = null;
    } else {
      writer = null;
    }
  }

  /** Nobody waits in that direction any more; returns whether somebody did. */
  boolean cancel(int direction) {
    Waiter waiter = direction == Poller.READ ? reader : writer;
    boolean was = waiter != null && waiter.isHeard();
    replace(direction, null);
    PyException.checkErrno(watch(wanted()));
    return was;
  }

  @SuppressWarnings("ReferenceEquality") // asks whether it is the same one, set again
  private void replace(int direction, @Nullable Waiter waiter) {
    unconfirmed &= ~direction;
    Waiter old;
    if (direction == Poller.READ) {
      old = reader;
      reader = waiter;
    } else {
      old = writer;
      writer = waiter;
    }
    if (old != null && old != waiter) {
      old.replaced();
    }
  }

  /** The directions in which somebody waits. */
  int wanted() {
    return (reader != null ? Poller.READ : 0) | (writer != null ? Poller.WRITE : 0);
  }

  // ---- what the poller has lost --------------------------------------------------------------

  @Override
  protected void displaced(int directions) {
    if (note(DISPLACED, directions)) {
      return;
    }
    if ((directions & Poller.READ) != 0) {
      replace(Poller.READ, null);
    }
    if ((directions & Poller.WRITE) != 0) {
      replace(Poller.WRITE, null);
    }
  }

  /** Those who have come since, and not with a number alone, wait for the file that is there. */
  @Override
  protected void fileGone() {
    if (note(FILE_GONE, 0)) {
      return;
    }
    boolean keepsReader = reader != null && keeps(Poller.READ, reader);
    boolean keepsWriter = writer != null && keeps(Poller.WRITE, writer);
    displaced((keepsReader ? 0 : Poller.READ) | (keepsWriter ? 0 : Poller.WRITE));
  }

  private boolean keeps(int direction, Waiter waiter) {
    return (unconfirmed & direction) != 0 && waiter.isFor(fd());
  }

  @Override
  protected void pollerClosed() {
    displaced(Poller.READ | Poller.WRITE);
  }
}
